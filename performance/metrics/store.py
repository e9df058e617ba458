"""Reads what all processes have measured."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from performance import valkey
from performance.metrics import batch
from performance.metrics.buckets import Histogram

ENDPOINT, FUNCTION, QUERY = "endpoint", "function", "query"


@dataclass
class Series:
    """Everything known about one endpoint, function or query in a span of time."""

    latency: Histogram = field(default_factory=Histogram)
    statements: Histogram = field(default_factory=Histogram)
    size: Histogram = field(default_factory=Histogram)
    errors: int = 0
    traces: dict[int, str] = field(default_factory=dict)

    def merge(self, other: "Series") -> None:
        self.latency.merge(other.latency)
        self.statements.merge(other.statements)
        self.size.merge(other.size)
        self.errors += other.errors
        self.traces.update(other.traces)

    def add(self, series: str, bucket: int, value: bytes) -> None:
        match series:
            case batch.LATENCY:
                self.latency.counts[bucket] += int(value)
            case batch.STATEMENTS:
                self.statements.counts[bucket] += int(value)
            case batch.BYTES:
                self.size.counts[bucket] += int(value)
            case batch.ERRORS:
                self.errors += int(value)
            case batch.TRACE:
                self.traces[bucket] = value.decode()


# {("endpoint", "GET posts:detail"): Series}
type Window = dict[tuple[str, str], Series]


def read_minutes(count: int) -> dict[int, Window]:
    """Return the last `count` minutes by number, the oldest first. Raises `redis.RedisError`."""
    now = int(time.time()) // 60
    minutes = range(now - count + 1, now + 1)
    with valkey.client().pipeline(transaction=False) as pipeline:
        for minute in minutes:
            pipeline.hgetall(valkey.key("minute", minute))
        return dict(zip(minutes, map(parse, pipeline.execute()), strict=True))


def read_total() -> Window:
    """Return what was measured since Valkey was last emptied. Raises `redis.RedisError`."""
    found: dict[bytes, bytes] = valkey.client().hgetall(valkey.key("total"))  # type: ignore[assignment]
    return parse(found)


def parse(fields: Mapping[bytes, bytes]) -> Window:
    window: Window = defaultdict(Series)
    for name, value in fields.items():
        kind, label, series, bucket = name.decode().split(batch.SEPARATOR)
        window[kind, label].add(series, int(bucket), value)
    return window


def merge(windows: Iterable[Window]) -> Window:
    merged: Window = defaultdict(Series)
    for window in windows:
        for name, series in window.items():
            merged[name].merge(series)
    return merged
