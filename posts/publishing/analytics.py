"""Read what publications brought in; every answer is JSON and can be cached."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    Avg,
    Count,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce, ExtractHour, ExtractIsoWeekDay

from agents.models import Profile
from posts.publishing.models import AnalyticsSummary, Publication

COUNTERS = ("likes", "comments", "shares", "views")
ENGAGEMENT = F("figures__likes") + F("figures__comments") + F("figures__shares")


def summary(owner: Profile, start: date, end: date, account: int | None = None) -> dict[str, Any]:
    """Sum a range of days, in total and per day."""
    rows = AnalyticsSummary.objects.filter(owner=owner, day__gte=start, day__lt=end)
    if account is not None:
        rows = rows.filter(account=account)
    sums = {name: Coalesce(Sum(name), 0) for name in (*COUNTERS, "published_count")}
    days: list[Any] = list(rows.values("day").annotate(**sums).order_by("day"))
    # Of at most a year of days here, not of all accounts' days once more in the database.
    total = {name: sum(day[name] for day in days) for name in sums}
    return {"total": total, "days": [day | {"day": day["day"].isoformat()} for day in days]}


def platforms(owner: Profile, start: date, end: date) -> dict[str, Any]:
    """Sum a range of days per network."""
    sums = {name: Coalesce(Sum(name), 0) for name in (*COUNTERS, "published_count")}
    rows = AnalyticsSummary.objects.filter(owner=owner, day__gte=start, day__lt=end)
    return {"platforms": list(rows.values("network").annotate(**sums).order_by("network"))}


def _published(owner: Profile, start: date, end: date) -> QuerySet[Publication]:
    first, last = (datetime.combine(day, time(), UTC) for day in (start, end))
    return Publication.objects.filter(owner=owner, published_at__gte=first, published_at__lt=last)


def posts(owner: Profile, start: date, end: date, limit: int) -> dict[str, Any]:
    """List the publications that moved most, with what their post cost to write."""
    # Through the post's own relation: how it was written is its business, not this module's.
    steps = (
        Publication.objects.filter(pk=OuterRef("pk"), post__generated_by__steps__isnull=False).order_by().values("pk")
    )
    tokens = Sum(F("post__generated_by__steps__tokens_in") + F("post__generated_by__steps__tokens_out"))
    rows = (
        _published(owner, start, end)
        .annotate(
            engagement=Coalesce(ENGAGEMENT, 0),
            tokens=Coalesce(Subquery(steps.annotate(sum=tokens).values("sum"), output_field=IntegerField()), 0),
            cost_micros=Coalesce(
                Subquery(steps.annotate(sum=Sum("post__generated_by__steps__cost_micros")).values("sum")), 0
            ),
            **{name: Coalesce(f"figures__{name}", 0) for name in COUNTERS},
        )
        .order_by("-engagement", "-published_at", "-id")
        .values(
            "id", "network", "post_id", "text", "remote_url", "published_at", "engagement", "tokens", "cost_micros",
            *COUNTERS,
        )[:limit]
    )  # fmt: skip
    return {
        "posts": [row | {"text": row["text"][:200], "published_at": row["published_at"].isoformat()} for row in rows]
    }


def best_times(owner: Profile, start: date, end: date, time_zone: str) -> dict[str, Any]:
    """Rank the hours of the week, in a time zone, by what a publication brought in on average."""
    zone = ZoneInfo(time_zone)
    rows = (
        _published(owner, start, end)
        .values(weekday=ExtractIsoWeekDay("published_at", tzinfo=zone), hour=ExtractHour("published_at", tzinfo=zone))
        .annotate(
            count=Count("id"),
            engagement=Avg(ExpressionWrapper(Coalesce(ENGAGEMENT, 0), output_field=FloatField())),
        )
        .order_by("-engagement", "-count", "weekday", "hour")[:10]
    )
    return {"best_times": list(rows)}
