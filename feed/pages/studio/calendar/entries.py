"""What a calendar and its queue show of publications."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from feed.pages.studio.calendar import outlook
from feed.pages.studio.calendar.spans import Span, clock, dated
from posts.publishing.models import Publication
from posts.publishing.networks import network_named

# What a week and a day show of the hours in which nothing happens.
WAKING_HOURS = (7, 21)


@dataclass(frozen=True)
class Entry:
    """One publication as a person sees it, in their time zone."""

    publication: Publication
    zone: ZoneInfo

    @property
    def pk(self) -> int:
        return self.publication.pk

    @property
    def state(self) -> str:
        return "review" if outlook.needs_answer(self.publication) else self.publication.status

    @property
    def words(self) -> str:
        return outlook.words(self.publication)

    @property
    def outlook(self) -> str:
        return outlook.outlook(self.publication, self.zone)

    @property
    def decisions(self) -> list[tuple[str, str]]:
        """What can be decided about it, each with the words on its button."""
        return [(decision, outlook.LABELS[decision]) for decision in outlook.actions(self.publication)]

    @property
    def is_movable(self) -> bool:
        return outlook.is_movable(self.publication)

    @property
    def moment(self) -> datetime | None:
        return self.publication.scheduled_at or self.publication.published_at

    @property
    def local(self) -> datetime:
        assert self.moment
        return self.moment.astimezone(self.zone)

    @property
    def clock(self) -> str:
        return clock(self.moment, self.zone) if self.moment else ""

    @property
    def dated(self) -> str:
        return dated(self.moment, self.zone) if self.moment else "At once"

    @property
    def expected(self) -> str:
        """The time that whoever looks at this page believes it has; who moves it sends it along."""
        return self.publication.scheduled_at.isoformat() if self.publication.scheduled_at else ""

    @property
    def network(self) -> str:
        return network_named(self.publication.network).label

    @property
    def place(self) -> str:
        """Where it goes: the network and the account on it."""
        return f"{self.network} {self.publication.account.handle}".strip()

    @property
    def address(self) -> str:
        """Where it is to be seen. A network may answer with anything, and not every address is one to follow."""
        url = self.publication.remote_url
        return url if url.startswith(("https://", "http://")) else ""

    @property
    def beginning(self) -> str:
        return self.publication.beginning or "An image"  # type: ignore[attr-defined]


@dataclass
class Cell:
    """A day of a month, or an hour of a day: somewhere that an entry can be dropped."""

    day: date
    hour: int | None = None
    is_today: bool = False
    is_outside: bool = False
    is_skipped: bool = False
    entries: list[Entry] = field(default_factory=list)
    hidden_count: int = 0


def entries_of(publications: Iterable[Publication], zone: ZoneInfo) -> list[Entry]:
    return [Entry(publication, zone) for publication in publications]


def weeks(span: Span, entries: Iterable[Entry]) -> list[list[Cell]]:
    """Lay the entries of a month out in weeks of days."""
    by_day: dict[date, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_day[entry.local.date()].append(entry)
    cells = [
        Cell(
            day,
            is_today=day == span.today,
            is_outside=day.month != span.day.month,
            entries=by_day[day],
            hidden_count=hidden_count(by_day[day]),
        )
        for day in span.days
    ]
    return [cells[start : start + 7] for start in range(0, len(cells), 7)]


def hours(span: Span, entries: Sequence[Entry]) -> list[tuple[int, list[Cell]]]:
    """Lay entries out in hours of days: the waking ones, and those in which something happens."""
    by_hour: dict[tuple[date, int], list[Entry]] = defaultdict(list)
    for entry in entries:
        by_hour[entry.local.date(), entry.local.hour].append(entry)
    busy = [entry.local.hour for entry in entries]
    shown = range(min([WAKING_HOURS[0], *busy]), max([WAKING_HOURS[1], *busy]) + 1)
    return [
        (
            hour,
            [
                Cell(
                    day,
                    hour,
                    is_today=day == span.today,
                    is_skipped=span.is_skipped(day, hour),
                    entries=by_hour[day, hour],
                )
                for day in span.days
            ],
        )
        for hour in shown
    ]


def hidden_count(entries: Sequence[Entry]) -> int:
    """Return how many more a day has than are shown."""
    return entries[0].publication.day_count - len(entries) if entries else 0  # type: ignore[attr-defined]


def hidden_days(entries: Iterable[Entry]) -> dict[date, int]:
    """Return the days of which some are not shown, and how many."""
    by_day: dict[date, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_day[entry.local.date()].append(entry)
    return {day: count for day, found in by_day.items() if (count := hidden_count(found))}
