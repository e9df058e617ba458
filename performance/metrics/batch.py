"""Counts per minute that wait for their way to Valkey, and the names that they go under."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
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

type Field = tuple[str, str, str, int]


def written(field: Field) -> str:
    kind, name, series, bucket = field
    return f"{kind}{SEPARATOR}{name}{SEPARATOR}{series}{SEPARATOR}{bucket}"


class Batch:
    """What one process has measured and not yet written."""

    def __init__(self) -> None:
        self.minutes: defaultdict[int, Counter[Field]] = defaultdict(Counter)
        self.traces: defaultdict[int, dict[Field, str]] = defaultdict(dict)
        self.names: set[tuple[str, str]] = set()

    def add(self, minute: int, measured: Measurement) -> None:
        kind, name = measured.kind, self._bounded(measured.kind, measured.name)
        counts = self.minutes[minute]
        bucket = bucket_of(measured.microseconds)
        counts[kind, name, LATENCY, bucket] += 1
        if measured.trace:
            self.traces[minute][kind, name, TRACE, bucket] = measured.trace
        if measured.statements is not None:
            counts[kind, name, STATEMENTS, bucket_of(measured.statements)] += 1
        if measured.size_bytes is not None:
            counts[kind, name, BYTES, bucket_of(measured.size_bytes)] += 1
        if measured.is_error:
            counts[kind, name, ERRORS, 0] += 1

    def _bounded(self, kind: str, name: str) -> str:
        if (kind, name) in self.names:
            return name
        if len(self.names) >= MAX_NAMES:
            return OTHER
        self.names.add((kind, name))
        return name

    def write(self) -> bool:
        """Add the counts to those of all processes; return False and keep them while Valkey is down.

        A minute is written in one transaction, so it counts once or not at all. Only when its answer is
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
            self.traces.pop(minute, None)
        return True

    def _write_minute(self, minute: int) -> None:
        slot, total = valkey.key("minute", minute), valkey.key("total")
        with valkey.client().pipeline(transaction=True) as pipeline:
            for field, count in self.minutes[minute].items():
                pipeline.hincrby(slot, written(field), count)
                pipeline.hincrby(total, written(field), count)
            if traces := self.traces.get(minute):
                pipeline.hset(slot, mapping={written(field): trace for field, trace in traces.items()})
            pipeline.expire(slot, (KEPT_MINUTES + 5) * 60)
            pipeline.execute()

    def _drop_old(self) -> None:
        oldest = int(time.time()) // 60 - KEPT_MINUTES
        for minute in [minute for minute in self.minutes if minute < oldest]:
            del self.minutes[minute]
            self.traces.pop(minute, None)
