"""The figures, for programs and for the page."""

from collections.abc import Callable
from functools import wraps

import redis
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from performance.access import operators_only
from performance.budgets import Budget, budgeted
from performance.metrics import prometheus
from performance.metrics.batch import KEPT_MINUTES
from performance.metrics.overview import RECENT_MINUTES, overview
from performance.metrics.recorder import recorder
from performance.metrics.report import metrics_report
from performance.middleware import RETRY_AFTER_SECONDS


def needs_valkey(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 503 while Valkey, which holds the figures of all processes, is away."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            recorder.flush()
            return view(request)
        except redis.RedisError:
            problem = {"title": "Service Unavailable", "status": 503, "detail": "The metrics are out of reach."}
            response = JsonResponse(problem, status=503, content_type="application/problem+json")
            response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
            return response

    return guarded


@operators_only
@require_GET
@needs_valkey
@budgeted(Budget(statements=2, p95_ms=100, kilobytes=50))
def metrics(request: HttpRequest) -> HttpResponse:
    """Show percentiles, counts, averages and the ten slowest of the last minutes (`?minutes=`, 1 to 60)."""
    asked = request.GET.get("minutes", str(RECENT_MINUTES))
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 3 and 1 <= int(asked) <= KEPT_MINUTES):
        problem = {"title": "Bad Request", "status": 400, "detail": f"minutes: give 1 to {KEPT_MINUTES}."}
        return JsonResponse(problem, status=400, content_type="application/problem+json")
    return JsonResponse(metrics_report(minutes=int(asked)))


@operators_only
@require_GET
@needs_valkey
@budgeted(Budget(statements=4, p95_ms=250, kilobytes=500))
def for_prometheus(request: HttpRequest) -> HttpResponse:
    """Show everything since the beginning in Prometheus' text format."""
    return HttpResponse(prometheus.exposition(), content_type=prometheus.CONTENT_TYPE)


@operators_only
@require_GET
@budgeted(Budget(statements=2, p95_ms=50, kilobytes=20))
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show the page; its script asks for the figures."""
    return render(request, "performance/dashboard.html")


@operators_only
@require_GET
@needs_valkey
@budgeted(Budget(statements=12, p95_ms=250, kilobytes=200))
def figures(request: HttpRequest) -> HttpResponse:
    """Return all that the dashboard shows."""
    return JsonResponse(overview())
