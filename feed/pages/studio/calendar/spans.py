"""A month, a week or a day of a calendar, in one person's time zone."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from posts.publishing.services.slots import moment_of

VIEWS = ("month", "week", "day")
# What a calendar can be turned to; beyond, there is nothing to see and dates run out.
YEARS = range(2000, 2101)
# How many of a day are shown before "more": a page has to stay small.
PER_DAY = {"month": 3, "week": 10, "day": 100}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """The days of a view; `first` is its first and `after` the first that is no longer in it."""

    view: str
    day: date
    first: date
    after: date
    zone: ZoneInfo

    @property
    def days(self) -> list[date]:
        return [self.first + DAY * number for number in range((self.after - self.first).days)]

    @property
    def start(self) -> datetime:
        return self.moment(self.first)

    @property
    def end(self) -> datetime:
        return self.moment(self.after)

    @property
    def per_day(self) -> int:
        return PER_DAY[self.view]

    @property
    def today(self) -> date:
        return timezone.now().astimezone(self.zone).date()

    @property
    def title(self) -> str:
        if self.view == "month":
            return f"{self.day:%B %Y}"
        if self.view == "day":
            return f"{self.day:%A}, {self.day.day} {self.day:%B %Y}"
        last = self.after - DAY
        begin = f"{self.first.day} {self.first:%B}" if self.first.month != last.month else str(self.first.day)
        return f"{begin} – {last.day} {last:%B %Y}"

    @property
    def before(self) -> date:
        """A day of the view before this one."""
        if self.view == "month":
            return (self.day.replace(day=1) - DAY).replace(day=1)
        return self.day - (DAY if self.view == "day" else 7 * DAY)

    @property
    def next(self) -> date:
        """A day of the view after this one."""
        if self.view == "month":
            return (self.day.replace(day=28) + 4 * DAY).replace(day=1)
        return self.day + (DAY if self.view == "day" else 7 * DAY)

    def moment(self, day: date, hour: int = 0) -> datetime:
        # A wall-clock time has no zone until `moment_of` gives it one.
        return moment_of(datetime.combine(day, time(hour)), self.zone.key)

    def is_skipped(self, day: date, hour: int) -> bool:
        """Say whether the clocks jump over an hour of a day."""
        return self.moment(day, hour).astimezone(self.zone).hour != hour


def span_of(view: str, day: date, zone: ZoneInfo) -> Span:
    if view == "month":
        weeks = calendar.Calendar().monthdatescalendar(day.year, day.month)
        first, after = weeks[0][0], weeks[-1][-1] + DAY
    elif view == "week":
        first = day - DAY * day.weekday()
        after = first + 7 * DAY
    else:
        first, after = day, day + DAY
    return Span(view, day, first, after, zone)


def asked_span(view: str, day: str, zone: ZoneInfo) -> Span:
    """Return the view that an address asks for; what it says wrongly is this month."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        wanted = timezone.now().astimezone(zone).date()
    if wanted.year not in YEARS:
        wanted = timezone.now().astimezone(zone).date()
    return span_of(view if view in VIEWS else "month", wanted, zone)


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """Show a moment's wall-clock time, with its zone's abbreviation in the hour that comes twice."""
    local = moment.astimezone(zone)
    is_twofold = local.utcoffset() != local.replace(fold=not local.fold).utcoffset()
    return f"{local:%H:%M} {local.tzname()}" if is_twofold else f"{local:%H:%M}"


def dated(moment: datetime, zone: ZoneInfo) -> str:
    """Show a moment as a person says it: Tue 24 Nov 2026, 09:30."""
    local = moment.astimezone(zone)
    year = "" if local.year == datetime.now(UTC).year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year}, {clock(moment, zone)}"
