"""Everything that an analytics page shows, in one statement; and the rows behind it, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, ExtractHour, ExtractIsoWeekDay, JSONObject, Left

from agents.models import Profile
from posts.publishing.analytics import COUNTERS, ENGAGEMENT
from posts.publishing.models import AnalyticsSummary, Publication

TOP_COUNT = 10
ROWS_AT_ONCE = 500
COST = "post__generated_by__steps__cost_micros"
TOKENS = F("post__generated_by__steps__tokens_in") + F("post__generated_by__steps__tokens_out")
COLUMNS = (
    "published_at", "network", "account", "author", "url", *COUNTERS, "engagement", "text",
)  # fmt: skip


@dataclass(frozen=True)
class Range:
    """Days from `start` up to but not including `end`, on one network or on all."""

    start: date
    end: date
    network: str = ""

    @property
    def on_network(self) -> dict[str, str]:
        return {"network": self.network} if self.network else {}


def read_report(owner: Profile, days: Range, zone: ZoneInfo) -> dict[str, list[dict[str, Any]]]:
    """Return what the publications of some days brought in and cost.

    `days` per day (UTC) and network; `hours` per hour of the week in a zone; `costs` per network, of each post once,
    and `cost` of each post once over all; `top_posts` that moved most.
    """
    published = _published(OuterRef("pk"), days)
    report: dict[str, list[dict[str, Any]]] = Profile.objects.values(  # type: ignore[assignment]
        days=ArraySubquery(_days(days)),
        hours=ArraySubquery(_hours(published, zone)),
        costs=ArraySubquery(_costs(days, "network", "post_id")),
        cost=ArraySubquery(_costs(days, "post_id")),
        top_posts=ArraySubquery(_posts(published)),
    ).get(pk=owner.pk)
    return report


def _published(owner: Profile | OuterRef, days: Range) -> QuerySet[Publication]:
    first, last = (datetime.combine(day, time(), UTC) for day in (days.start, days.end))
    return Publication.objects.filter(
        owner=owner, published_at__gte=first, published_at__lt=last, **days.on_network
    ).order_by()


def _days(days: Range) -> QuerySet[AnalyticsSummary, Any]:
    sums = {name: Sum(name) for name in COUNTERS}
    return (
        AnalyticsSummary.objects.filter(owner=OuterRef("pk"), day__gte=days.start, day__lt=days.end, **days.on_network)
        .order_by("day", "network")
        .values("day", "network")
        .annotate(row=JSONObject(day="day", network="network", posts=Sum("published_count"), **sums))
        .values("row")
    )


def _hours(published: QuerySet[Publication], zone: ZoneInfo) -> QuerySet[Publication, Any]:
    weekday, hour = (extract("published_at", tzinfo=zone) for extract in (ExtractIsoWeekDay, ExtractHour))
    return (
        published.values(weekday=weekday, hour=hour)
        .annotate(posts=Count("id"), engagement=Coalesce(Sum(ENGAGEMENT), Value(0)))
        .order_by("weekday", "hour")
        .values(row=JSONObject(weekday="weekday", hour="hour", posts="posts", engagement="engagement"))
    )


def _costs(days: Range, *once_per: str) -> QuerySet[Publication, Any]:
    # Writing a post costs once, to however many accounts it goes. The owner is two queries further out.
    published = _published(OuterRef(OuterRef("pk")), days)
    once = published.filter(post__generated_by__isnull=False).order_by(*once_per, "pk").distinct(*once_per)
    rows = Publication.objects.filter(pk__in=once.values("pk")).order_by()
    network = F("network") if "network" in once_per else Value("")
    sums = {"cost_micros": Coalesce(Sum(COST), Value(0)), "tokens": Coalesce(Sum(TOKENS), Value(0))}
    return rows.values(name=network).annotate(row=JSONObject(network="name", **sums)).values("row")


def _posts(published: QuerySet[Publication]) -> QuerySet[Publication, Any]:
    counters = {name: Coalesce(f"figures__{name}", 0) for name in COUNTERS}
    return (
        published.annotate(engagement=Coalesce(ENGAGEMENT, 0))
        .order_by("-engagement", "-published_at", "-id")
        .values(
            row=JSONObject(
                id="id",
                network="network",
                handle="account__handle",
                text=Left("text", 140),
                url="remote_url",
                at="published_at",
                engagement="engagement",
                **counters,
            )
        )[:TOP_COUNT]
    )


def rows_of(owner: Profile, days: Range) -> Iterator[tuple[Any, ...]]:
    """Yield what each publication brought in, in the order of `COLUMNS`, however many there are.

    In pages that each begin after the last row of the one before: a cursor of the database would outlive its
    transaction, which a pooler in transaction mode does not allow.
    """
    counters = [Coalesce(f"figures__{name}", 0) for name in COUNTERS]
    rows = (
        _published(owner, days)
        .order_by("published_at", "id")
        .values_list(
            "id", "published_at", "network", "account__handle", "author__handle", "remote_url", *counters,
            Coalesce(ENGAGEMENT, 0), "text",
        )
    )  # fmt: skip
    page = list(rows[:ROWS_AT_ONCE])
    while page:
        yield from (row[1:] for row in page)
        if len(page) < ROWS_AT_ONCE:
            return
        last_id, last_moment = page[-1][:2]
        after = Q(published_at__gt=last_moment) | Q(published_at=last_moment, id__gt=last_id)
        page = list(rows.filter(after)[:ROWS_AT_ONCE])
