"""The Prometheus text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/."""

from collections.abc import Iterable, Iterator, Mapping

from django.db import Error

from performance import alerts, processes
from performance.caches import cache_statistics
from performance.metrics import store
from performance.metrics.buckets import Histogram
from performance.pool import pool_status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Upper bounds in seconds.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

type Sample = tuple[str, Mapping[str, object], float]


def exposition() -> str:
    """Return all metrics, summed over all processes. Raises `redis.RedisError`."""
    lines: list[str] = []
    for name, kind, text, samples in _families():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        lines += [_line(name + suffix, labels, value) for suffix, labels, value in samples]
    return "\n".join(lines) + "\n"


def _families() -> Iterator[tuple[str, str, str, Iterable[Sample]]]:
    total = store.read_total()
    yield (
        "aviary_request_seconds",
        "histogram",
        "Time per request by endpoint.",
        [
            sample
            for (kind, name), series in total.items()
            if kind == store.ENDPOINT
            for sample in _histogram(series.latency, {"endpoint": name})
        ],
    )
    yield (
        "aviary_request_errors_total",
        "counter",
        "Answers of 5xx by endpoint.",
        [("", {"endpoint": name}, series.errors) for (kind, name), series in total.items() if kind == store.ENDPOINT],
    )
    yield (
        "aviary_query_seconds",
        "summary",
        "Time per query by statement or given name.",
        [
            sample
            for (kind, name), series in total.items()
            if kind == store.QUERY
            for sample in _sums(series.latency, {"query": name})
        ],
    )
    statistics = cache_statistics().items()
    for event in ("hits", "misses"):
        samples = [("", {"cache": name}, cache[event]) for name, cache in statistics]
        yield f"aviary_cache_{event}_total", "counter", f"Cache {event}.", samples
    for level in ("entries", "bytes"):
        yield (
            f"aviary_cache_{level}",
            "gauge",
            f"Cache {level}.",
            [("", {"cache": name}, cache[level]) for name, cache in statistics],
        )
    yield "aviary_pool_connections", "gauge", "Connections to the database.", _pool()
    yield (
        "aviary_process_resident_bytes",
        "gauge",
        "Memory of each process.",
        [("", {"host": report["host"], "pid": report["pid"]}, report["rss_bytes"]) for report in processes.alive()],
    )
    yield (
        "aviary_alerts_open",
        "gauge",
        "Alerts that last.",
        [("", {"alert": alert["episode"]}, 1) for alert in alerts.open_alerts()],
    )


def _histogram(latency: Histogram, labels: Mapping[str, object]) -> Iterator[Sample]:
    for bound in BOUNDS:
        yield "_bucket", {**labels, "le": bound}, latency.below(round(bound * 1e6))
    yield "_bucket", {**labels, "le": "+Inf"}, latency.count
    yield from _sums(latency, labels)


def _sums(latency: Histogram, labels: Mapping[str, object]) -> Iterator[Sample]:
    yield "_sum", labels, latency.average * latency.count / 1e6
    yield "_count", labels, latency.count


def _pool() -> list[Sample]:
    try:
        status = pool_status()
    except Error:
        return []
    states = ("checked_out", "available", "waiting")
    return [("", {"state": state}, status[state]) for state in states]


def _line(name: str, labels: Mapping[str, object], value: float) -> str:
    inner = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items())
    number = f"{value:.9g}" if isinstance(value, float) else str(value)
    return f"{name}{{{inner}}} {number}" if inner else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
