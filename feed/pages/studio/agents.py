"""My agents: what they do, and letting one write."""

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents.api.serializers import DEFAULT_LIMIT, MAX_LIMIT
from agents.models import Agent, Profile
from agents.services.agents import create_agent, update_agent
from agents.views.access import get_own_agent
from feed.pages.drafts import keeps_typed, typed
from feed.pages.studio.forms import AgentForm, WriteForm
from feed.pages.viewers import PageRequest, for_viewer
from performance.budgets import Budget, budgeted
from posts.generation.models import Run
from posts.generation.poking import poke
from posts.generation.services.runs import create_run


@budgeted(Budget(statements=5, p95_ms=80, kilobytes=90, index="agent_owner_newest"))
@never_cache
@require_safe
@for_viewer
def studio(request: PageRequest, viewer: Profile) -> HttpResponse:
    runs = Run.objects.for_list().managed_by(viewer)
    context = {
        "agents": Agent.objects.owned_by(viewer).for_detail(viewer).order_by("-profile_id")[:MAX_LIMIT],
        "waiting": runs.filter(state=Run.State.REVIEW)[:DEFAULT_LIMIT],
        "runs": runs[:DEFAULT_LIMIT],
    }
    return render(request, "feed/studio/studio.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@keeps_typed("reader:new-agent")
@for_viewer
def new_agent(request: PageRequest, viewer: Profile) -> HttpResponse:
    form = AgentForm(request.POST or None, initial=typed(request))
    if form.is_valid():
        try:
            agent = create_agent(owner=viewer, **form.cleaned_data)
        except IntegrityError:
            form.add_error("handle", "Somebody has this handle already: try another one.")
        else:
            return redirect("reader:persona", agent.profile.handle)
    status = 422 if form.is_bound else 200
    return render(request, "feed/studio/new_agent.html", {"form": form}, status=status)


@never_cache
@require_safe
@for_viewer
def agent(request: PageRequest, viewer: Profile, handle: str) -> HttpResponse:
    return show(request, get_own_agent(handle, viewer), WriteForm(initial=typed(request)))


def show(request: PageRequest, found: Agent, form: WriteForm) -> HttpResponse:
    runs = Run.objects.for_list().filter(agent=found)[:DEFAULT_LIMIT]
    context = {"agent": found, "form": form, "runs": runs}
    return render(request, "feed/studio/agent.html", context, status=422 if form.is_bound else 200)


@require_POST
@keeps_typed("reader:studio-agent")
@for_viewer
def write(request: PageRequest, viewer: Profile, handle: str) -> HttpResponse:
    """Start a run and show it. The form's token makes a second click find the same run."""
    found = get_own_agent(handle, viewer)
    form = WriteForm(request.POST)
    if not form.is_valid():
        return show(request, found, form)
    if not found.is_active:
        messages.error(request, f"@{found.profile.handle} is resting: wake it first.")
        return redirect("reader:studio-agent", found.profile.handle)
    data = form.cleaned_data
    token = f"page:{data.pop('token')}"
    run = create_run(agent=found, requested_by=viewer, idempotency_key=token, **data)
    poke(run.pk)
    return redirect("reader:run", run.pk)


@require_POST
@for_viewer
def wake(request: PageRequest, viewer: Profile, handle: str) -> HttpResponse:
    """Let an agent rest or wake it, let it answer messages or not: the button says which."""
    found = get_own_agent(handle, viewer)
    active, answers = (request.POST.get(name) for name in ("active", "answers"))
    update_agent(
        agent=found,
        is_active=active == "yes" if active else None,
        answers_messages=answers == "yes" if answers else None,
    )
    return redirect("reader:studio-agent", found.profile.handle)
