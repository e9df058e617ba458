"""What the figures say: percentiles, the ten slowest, and how live traffic keeps its budgets."""

from typing import Any

from performance.budgets import Endpoint, endpoints
from performance.metrics import store
from performance.metrics.buckets import bounds_of
from performance.metrics.store import Series, Window

SLOWEST = 10
TOP_BUCKETS = 3
# Routes and queries of monitoring itself: a page that watches should not see its own shadow.
OWN = "performance"


def metrics_report(*, minutes: int) -> dict[str, Any]:
    """Summarise the last `minutes` over all processes. Raises `redis.RedisError`."""
    window = watched(store.merge(store.read_minutes(minutes).values()))
    return {
        "window_minutes": minutes,
        "requests": summary(overall(window)),
        "slowest_endpoints": slowest(window, store.ENDPOINT),
        "slowest_functions": slowest(window, store.FUNCTION),
        "slowest_queries": slowest(window, store.QUERY),
    }


def watched(window: Window) -> Window:
    """Leave out what monitoring itself asks and answers."""
    return {(kind, name): series for (kind, name), series in window.items() if not _is_own(name)}


def _is_own(name: str) -> bool:
    return name.startswith(f"{OWN}.") or name.partition(" ")[2].startswith(f"{OWN}:")


def overall(window: Window) -> Series:
    """Add up the requests of all endpoints."""
    total = Series()
    for (kind, _), series in window.items():
        if kind == store.ENDPOINT:
            total.merge(series)
    return total


def slowest(window: Window, kind: str) -> list[dict[str, Any]]:
    """Return the ten of a kind with the highest P95, each with its slowest buckets and their traces."""
    found = [(name, series) for (of, name), series in window.items() if of == kind and series.latency.counts]
    found.sort(key=lambda pair: (pair[1].latency.percentile(0.95), pair[0]), reverse=True)
    return [{"name": name, **summary(series), "top_buckets": top_buckets(series)} for name, series in found[:SLOWEST]]


def summary(series: Series) -> dict[str, Any]:
    latency = series.latency
    return {
        "count": latency.count,
        "errors": series.errors,
        "average_ms": _ms(latency.average),
        "p50_ms": _ms(latency.percentile(0.50)),
        "p95_ms": _ms(latency.percentile(0.95)),
        "p99_ms": _ms(latency.percentile(0.99)),
        "max_ms": _ms(latency.largest),
    }


def top_buckets(series: Series) -> list[dict[str, Any]]:
    """Return the slowest buckets, the slowest first, each with the last trace that fell into it."""
    top = []
    for bucket in sorted(series.latency.counts, reverse=True)[:TOP_BUCKETS]:
        low, above = bounds_of(bucket)
        count = series.latency.counts[bucket]
        top.append({"from_ms": _ms(low), "to_ms": _ms(above), "count": count, "trace": series.traces.get(bucket, "")})
    return top


def budget_report(window: Window) -> list[dict[str, Any]]:
    """Hold every declared budget against live traffic; `keeps` is None for what nobody has asked for."""
    return [_against(endpoint, window.get((store.ENDPOINT, endpoint.name))) for endpoint in endpoints()]


def _against(endpoint: Endpoint, series: Series | None) -> dict[str, Any]:
    budget = endpoint.budget
    row: dict[str, Any] = {
        "name": endpoint.name,
        "path": endpoint.path,
        "index": budget.index,
        "budget": {"statements": budget.statements, "p95_ms": budget.p95_ms, "kilobytes": budget.kilobytes},
        "live": None,
        "keeps": None,
    }
    if series is None or not series.latency.counts:
        return row
    live = {
        # Not the largest: the first request of a connection also pays for what sets it up.
        "statements": int(series.statements.percentile(0.95)),
        "p95_ms": _ms(series.latency.percentile(0.95)),
        "kilobytes": round(series.size.largest / 1000, 1),
    }
    keeps = {measure: live[measure] <= row["budget"][measure] for measure in live}
    return (
        row
        | {"live": live, "count": series.latency.count, "over": [m for m in keeps if not keeps[m]]}
        | {"keeps": all(keeps.values())}
    )


def _ms(microseconds: float) -> float:
    return round(microseconds / 1000, 2)
