"""Everything that the dashboard shows, in one answer."""

import time
from collections.abc import Mapping
from typing import Any

from django.db import Error

from performance import alerts, processes
from performance.caches import cache_statistics
from performance.db_monitor import monitor
from performance.metrics import gauges, report, store
from performance.metrics.batch import KEPT_MINUTES
from performance.metrics.buckets import Histogram
from performance.metrics.store import Window

RECENT_MINUTES = 15


def overview() -> dict[str, Any]:
    """Return charts, tables, budgets and alerts. Raises `redis.RedisError`."""
    minutes = {minute: report.watched(window) for minute, window in store.read_minutes(KEPT_MINUTES).items()}
    recent = store.merge(list(minutes.values())[-RECENT_MINUTES:])
    requests = report.overall(recent)
    running = sum(report.overall(minutes[minute]).latency.count for minute in sorted(minutes)[-2:])
    return {
        "at": time.time(),
        "is_active": running > 0,
        "recent_minutes": RECENT_MINUTES,
        "requests": report.summary(requests),
        "requests_per_second": round(running / (60 + time.time() % 60), 2),
        "distribution": distribution(requests.latency),
        "series": series(minutes),
        "endpoints": report.slowest(recent, store.ENDPOINT),
        "functions": report.slowest(recent, store.FUNCTION),
        "queries": report.slowest(recent, store.QUERY),
        "budgets": report.budget_report(recent),
        "caches": cache_statistics(),
        "database": _database(),
        "processes": processes.alive(),
        "alerts": {"open": alerts.open_alerts(), "history": alerts.history()[:10]},
    }


def series(minutes: Mapping[int, Window]) -> list[dict[str, Any]]:
    """Return one point per minute: requests, percentiles, hit rate in percent, pool usage."""
    levels = gauges.read_levels(list(minutes))
    points, before = [], None
    for (minute, window), level in zip(minutes.items(), levels, strict=True):
        summary = report.summary(report.overall(window))
        point = {
            "minute": minute,
            **{name: summary[name] for name in ("count", "errors", "p50_ms", "p95_ms", "p99_ms")},
        }
        point["hit_rate"] = _hit_rate(before, level)
        point["pool_usage"] = level and round(level["pool_usage"] * 100, 1)
        points.append(point)
        before = level or before
    return points


def _hit_rate(before: dict[str, Any] | None, now: dict[str, Any] | None) -> float | None:
    if before is None or now is None:
        return None
    hits, misses = now["hits"] - before["hits"], now["misses"] - before["misses"]
    # Counts fall when the cache was emptied in between.
    return round(100 * hits / (hits + misses), 1) if hits >= 0 and misses >= 0 and hits + misses else None


def distribution(latency: Histogram) -> list[dict[str, float]]:
    """Return the latency curve: how many milliseconds each share of the requests stays under."""
    shares = (0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
    return [{"share": share, "ms": round(latency.percentile(share) / 1000, 2)} for share in shares]


def _database() -> dict[str, Any] | None:
    try:
        return monitor.get_stats()
    except Error:
        return None
