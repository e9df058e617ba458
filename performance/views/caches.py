"""Cache statistics, over all processes."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from performance.access import operators_only
from performance.budgets import Budget, budgeted
from performance.caches import cache_statistics


def totals(statistics: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Add up the statistics of all caches; the hit rate is in percent, 0 before the first read."""
    hits = sum(cache["hits"] for cache in statistics.values())
    misses = sum(cache["misses"] for cache in statistics.values())
    entries = sum(cache["entries"] for cache in statistics.values())
    size = sum(cache["bytes"] for cache in statistics.values())
    return {
        "total_entries": entries,
        "active_entries": entries,
        "hits": hits,
        "misses": misses,
        "hit_rate": round(100 * hits / (hits + misses), 2) if hits + misses else 0.0,
        "memory_usage_estimate_mb": round(size / 1e6, 2),
    }


@operators_only
@require_GET
@budgeted(Budget(statements=2, p95_ms=25, kilobytes=10))
def cache_stats(request: HttpRequest) -> HttpResponse:
    """Show hits, misses, hit rate, entries and bytes of each cache."""
    statistics = cache_statistics()
    return JsonResponse({"total": totals(statistics), "caches": statistics})
