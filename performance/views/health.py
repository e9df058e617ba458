"""Is it alive, is it ready, how full is it."""

import time
from typing import Any

import redis
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from performance import processes
from performance.access import has_monitoring_key, operators_only
from performance.budgets import Budget, budgeted
from performance.caches import cache_statistics, clear_all, remove_expired
from performance.metrics import track_query
from performance.pool import pool_status
from performance.readiness import readiness
from performance.views.caches import totals


@require_GET
@never_cache
@budgeted(Budget(statements=0, p95_ms=5, kilobytes=1))
def live(request: HttpRequest) -> HttpResponse:
    """Say that this process answers, and nothing else."""
    return JsonResponse({"status": "ok"})


@require_GET
@never_cache
@budgeted(Budget(statements=2, p95_ms=25, kilobytes=1))
def ready(request: HttpRequest) -> HttpResponse:
    """Say whether to send traffic here; only the holder of the key learns which check failed."""
    report = readiness()
    shown = report if has_monitoring_key(request) else {"status": report["status"]}
    return JsonResponse(shown, status=503 if report["status"] == "unavailable" else 200)


@operators_only
@require_GET
@budgeted(Budget(statements=6, p95_ms=50, kilobytes=2))
def performance(request: HttpRequest) -> HttpResponse:
    """Show the cache, the database and its pool."""
    started = time.perf_counter()
    cache, database = totals(cache_statistics()), _database()
    status = "ok" if database["status"] == "healthy" else "degraded"
    elapsed_ms = round((time.perf_counter() - started) * 1000, 2)
    return JsonResponse({"status": status, "response_time_ms": elapsed_ms, "cache": cache, "database": database})


def _database() -> dict[str, Any]:
    started = time.perf_counter()
    try:
        with track_query("performance.ping"), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        latency_ms = round((time.perf_counter() - started) * 1000, 2)
        return {"status": "healthy", "latency_ms": latency_ms, "pool": pool_status()}
    except redis.RedisError:
        return {"status": "healthy", "latency_ms": latency_ms, "pool": None}
    except Error:
        return {"status": "unavailable", "latency_ms": None, "pool": None}


@operators_only
@require_GET
@budgeted(Budget(statements=5, p95_ms=50, kilobytes=20))
def pool(request: HttpRequest) -> HttpResponse:
    """Show how full the connections are, in total and in each process."""
    status = pool_status()
    each = [
        {"host": report["host"], "pid": report["pid"], "program": report["program"], **report["pools"]}
        for report in processes.alive()
    ]
    level = "saturated" if status["usage"] > 0.8 else "ok"
    # `size` and `pool_size` are one figure under the names of two older systems.
    return JsonResponse({"status": level, "size": status["pool_size"], **status, "by_process": each})


@operators_only
@require_POST
def clear_caches(request: HttpRequest) -> HttpResponse:
    """Forget everything cached."""
    return JsonResponse({"status": "ok", "cleared_entries": clear_all()})


@operators_only
@require_POST
def clean_caches(request: HttpRequest) -> HttpResponse:
    """Take expired entries off the books."""
    return JsonResponse({"status": "ok", "removed_entries": remove_expired()})
