"""The order of every timeline: 64-bit, unique, time-ordered keys (what others call snowflakes)."""

from datetime import datetime

from django.db.models import BigIntegerField, Func, Value

SEQUENCE = "posts_timeline_key_seq"
SEQUENCE_BITS = 20


# In braces the moment of publication.
KEY = (
    f"((extract(epoch FROM {{}}) * 1000)::bigint << {SEQUENCE_BITS}) | (nextval('{SEQUENCE}') & {2**SEQUENCE_BITS - 1})"
)


class NextTimelineKey(Func):
    """Compute a key in the database: milliseconds since 1970, then 20 bits of a sequence.

    Unique while fewer than a million posts share a millisecond; positive from 1970 to 2248.
    """

    template = KEY.format("%(expressions)s")
    output_field = BigIntegerField()

    def __init__(self, published_at: datetime) -> None:
        super().__init__(Value(published_at))


def first_key_at(moment: datetime) -> int:
    """Return the smallest key that a post published at `moment` can have."""
    return int(moment.timestamp() * 1000) << SEQUENCE_BITS
