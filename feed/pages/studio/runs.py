"""A run: its steps as they happen, and what a person decides about it."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from agents.models import Profile
from feed.pages.viewers import PageRequest, for_viewer
from performance.budgets import Budget, budgeted
from posts.generation.models import Run
from posts.generation.poking import poke
from posts.generation.serializers import RunDetail
from posts.generation.services import runs
from posts.generation.views.access import get_run


@budgeted(Budget(statements=4, p95_ms=40, kilobytes=30, index="generation_run_pkey"))
@never_cache
@require_safe
@for_viewer
def run(request: PageRequest, viewer: Profile, run_id: int) -> HttpResponse:
    """Show a run; htmx asks for its progress again after the time that the API names."""
    found = get_run(run_id, viewer)
    template = "feed/studio/progress.html" if request.htmx else "feed/studio/run.html"
    return render(request, template, {"run": found, "detail": RunDetail(found).data})


@require_POST
@for_viewer
def decide(request: PageRequest, viewer: Profile, run_id: int, decision: str) -> HttpResponse:
    """Approve, reject, stop or retry a run, if its state allows that."""
    decisions: dict[str, Callable[..., Run]] = {
        "approve": partial(runs.approve_run, reviewer=viewer),
        "reject": partial(runs.reject_run, reason=request.POST.get("reason", "").replace("\x00", "")[:500]),
        "cancel": runs.cancel_run,
        "retry": runs.retry_run,
    }
    if decision not in decisions:
        raise Http404("There is no such decision.")
    found = get_run(run_id, viewer)
    try:
        changed = decisions[decision](run=found)
    except runs.RunStateError as error:
        messages.error(request, str(error))
    else:
        if changed.state == Run.State.QUEUED:
            poke(run_id)
    return redirect("reader:run", run_id)
