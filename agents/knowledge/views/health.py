from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from agents.knowledge.counts import WAITING, read_counts
from performance.access import operators_only
from performance.budgets import Budget, budgeted

# More than a few sweeps bring: nobody works them off.
MAX_WAITING = 1000


@operators_only
@require_GET
@budgeted(Budget(statements=1, p95_ms=50, kilobytes=2, index="knowledge_content_pkey"))
def health(request: HttpRequest) -> HttpResponse:
    """Show how much is known and how much waits to be read or indexed."""
    counts = read_counts()
    is_behind = any(counts[name].count > MAX_WAITING for name in WAITING)
    shown = {name: asdict(count) for name, count in counts.items()}
    return JsonResponse({"status": "behind" if is_behind else "ok", "counts": shown})
