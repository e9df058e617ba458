"""Counts per minute that wait for their way to Valkey, and the names that they go under."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import redis

from performance import valkey
from performance.metrics.buckets import bucket_of

if TYPE_CHECKING:
    from performance.metrics.recorder import Measurement

logger = logging.getLogger(__name__)

KEPT_MINUTES = 60
# Names come from routes and statements of the code. More than this means that one is made of data.
MAX_NAMES = 500
OTHER = "(other)"

# A field of a minute's hash is kind, name, series, bucket; names hold no control characters.
SEPARATOR = "\x1f"
LATENCY, STATEMENTS, BYTES, ERRORS, TRACE = "l", "s", "b", "e", "t"

# A minute and the total in one step: seconds to live, how many counts, pairs of field and count, then traces.
_ADD = """
local last = 2 + 2 * tonumber(ARGV[2])
for place = 3, last, 2 do
    redis.call('HINCRBY', KEYS[1], ARGV[place], ARGV[place + 1])
    redis.call('HINCRBY', KEYS[2], ARGV[place], ARGV[place + 1])
end
for place = last + 1, #ARGV, 2 do
    redis.call('HSET', KEYS[1], ARGV[place], ARGV[place + 1])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


class Tally:
    """Counts per bucket of one endpoint, function or query within a minute, and the last trace in each."""

    __slots__ = ("errors", "latency", "size", "statements", "traces")

    def __init__(self) -> None:
        self.latency: dict[int, int] = {}
        self.statements: dict[int, int] = {}
        self.size: dict[int, int] = {}
        self.errors = 0
        self.traces: dict[int, str] = {}

    def add(self, microseconds: int, trace: str) -> None:
        bucket = bucket_of(microseconds)
        self.latency[bucket] = self.latency.get(bucket, 0) + 1
        if trace:
            self.traces[bucket] = trace

    def add_costs(self, statements: int | None, size_bytes: int | None, is_error: bool) -> None:
        if statements is not None:
            bucket = bucket_of(statements)
            self.statements[bucket] = self.statements.get(bucket, 0) + 1
        if size_bytes is not None:
            bucket = bucket_of(size_bytes)
            self.size[bucket] = self.size.get(bucket, 0) + 1
        self.errors += is_error

    def counts(self) -> Iterator[tuple[str, int, int]]:
        """Return series, bucket and count of all that was counted."""
        for series, buckets in ((LATENCY, self.latency), (STATEMENTS, self.statements), (BYTES, self.size)):
            for bucket, count in buckets.items():
                yield series, bucket, count
        if self.errors:
            yield ERRORS, 0, self.errors


class Batch:
    """What one process has measured and not yet written."""

    def __init__(self) -> None:
        self.minutes: defaultdict[int, dict[tuple[str, str], Tally]] = defaultdict(dict)
        self.names: set[tuple[str, str]] = set()

    def add(self, minute: int, measured: Measurement) -> None:
        tally = self.tally(minute, measured.kind, measured.name)
        tally.add(measured.microseconds, measured.trace)
        tally.add_costs(measured.statements, measured.size_bytes, measured.is_error)

    def tally(self, minute: int, kind: str, name: str) -> Tally:
        tallies = self.minutes[minute]
        found = tallies.get((kind, name))
        if found is None:
            name = self._bounded(kind, name)
            found = tallies.setdefault((kind, name), Tally())
        return found

    def _bounded(self, kind: str, name: str) -> str:
        if (kind, name) in self.names:
            return name
        if len(self.names) >= MAX_NAMES:
            return OTHER
        self.names.add((kind, name))
        return name

    def write(self) -> bool:
        """Add the counts to those of all processes; return False and keep them while Valkey is down.

        A minute is written in one step, so it counts once or not at all. Only when its answer is
        lost after a time-out is it unknown whether it was counted; then it is dropped rather than doubled.
        """
        self._drop_old()
        for minute in sorted(self.minutes):
            try:
                self._write_minute(minute)
            except redis.TimeoutError:
                logger.warning("metrics_dropped minute=%s reason=timeout", minute)
            except redis.RedisError:
                return False
            self.minutes.pop(minute)
        return True

    def _write_minute(self, minute: int) -> None:
        counts: list[str | int] = []
        traces: list[str] = []
        for (kind, name), tally in self.minutes[minute].items():
            prefix = f"{kind}{SEPARATOR}{name}{SEPARATOR}"
            for series, bucket, count in tally.counts():
                counts += (f"{prefix}{series}{SEPARATOR}{bucket}", count)
            for bucket, trace in tally.traces.items():
                traces += (f"{prefix}{TRACE}{SEPARATOR}{bucket}", trace)
        keys = valkey.key("minute", minute), valkey.key("total")
        lasts = (KEPT_MINUTES + 5) * 60
        valkey.client().eval(_ADD, 2, *keys, lasts, len(counts) // 2, *counts, *traces)

    def _drop_old(self) -> None:
        oldest = int(time.time()) // 60 - KEPT_MINUTES
        for minute in [minute for minute in self.minutes if minute < oldest]:
            del self.minutes[minute]
