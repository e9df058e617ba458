"""Token buckets in rows: exact over any number of workers, because a row lock is."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import DateTimeField, Func
from django.db.models.functions import Greatest
from django.utils import timezone

from posts.publishing.models import RateBucket
from posts.publishing.networks.base import Rate

# Raw, because Django compiles bulk_update() anew for every claim, and that costs more than the claim itself.
STORE = """
UPDATE publishing_ratebucket AS bucket SET tokens = taken.tokens, updated_at = taken.moment
FROM unnest(%s::text[], %s::float8[], %s::timestamptz[]) AS taken (key, tokens, moment) WHERE bucket.key = taken.key
"""


class ClockTimestamp(Func):
    """The database's clock, the only one that every worker shares."""

    function = "clock_timestamp"
    output_field = DateTimeField()


def account_key(account_id: int) -> str:
    return f"account:{account_id}"


def gate_key(network: str) -> str:
    return f"network:{network}"


def ensure_buckets(rates: Mapping[str, Rate]) -> None:
    """Create the buckets that do not exist yet, full."""
    now = timezone.now()
    RateBucket.objects.bulk_create(
        [
            RateBucket(
                key=key,
                tokens=rate.count,
                capacity=rate.count,
                refill_per_second=rate.count / rate.seconds,
                updated_at=now,
            )
            for key, rate in sorted(rates.items())
        ],
        ignore_conflicts=True,
    )


def take(wanted: Mapping[str, int]) -> dict[str, tuple[int, list[datetime]]]:
    """Take up to so many tokens from each bucket that exists; call it inside a transaction.

    Return per bucket how many were granted, and for those refused when each one's turn comes.
    """
    buckets = (
        RateBucket.objects.select_for_update().filter(key__in=wanted).annotate(now=ClockTimestamp()).order_by("key")
    )
    granted = {}
    for bucket in buckets:
        granted[bucket.key] = _take(bucket, wanted[bucket.key], now=bucket.now)
    with connection.cursor() as cursor:
        columns = zip(*((bucket.key, bucket.tokens, bucket.updated_at) for bucket in buckets), strict=True)
        cursor.execute(STORE, [list(column) for column in columns] or [[], [], []])
    return granted


def _take(bucket: RateBucket, count: int, *, now: datetime) -> tuple[int, list[datetime]]:
    elapsed = max((now - bucket.updated_at).total_seconds(), 0)
    bucket.tokens = min(bucket.capacity, bucket.tokens + elapsed * bucket.refill_per_second)
    bucket.updated_at = max(now, bucket.updated_at)
    opens = max(bucket.blocked_until or now, now)
    granted = 0 if opens > now else min(count, int(bucket.tokens))
    bucket.tokens -= granted
    missing = [max(number - bucket.tokens, 0) for number in range(1, count - granted + 1)]
    turns = [max(now + timedelta(seconds=need / bucket.refill_per_second), opens) for need in missing]
    return granted, turns


def block(*, key: str, until: datetime) -> None:
    """Remember that a network wants nothing from an account before a moment."""
    RateBucket.objects.filter(key=key).update(
        blocked_until=Greatest("blocked_until", until, output_field=DateTimeField())
    )
