"""What an agent knows: its sources and what came of them, and the texts it can quote."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from agents.api.views import MAX_ID
from agents.knowledge.models import Content, Source
from agents.knowledge.services.sources import request_source
from agents.models import Agent, Profile
from agents.services.once import Answer, OtherRequest, run_once
from agents.views.access import get_own_agent
from feed.pages.drafts import keeps_typed, typed
from feed.pages.lists import read_rows
from feed.pages.studio.knowledge_forms import KnowledgeForm, QuoteForm
from feed.pages.viewers import PageRequest, for_viewer
from performance.budgets import Budget, budgeted


@budgeted(Budget(statements=4, p95_ms=60, kilobytes=40, index="source_profile_newest"))
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_typed("reader:knowledge")
@for_viewer
def sources(request: PageRequest, viewer: Profile, handle: str) -> HttpResponse:
    """Show where an agent's knowledge comes from, with what went wrong, and take in more."""
    agent = get_own_agent(handle, viewer)
    form = KnowledgeForm(request.POST or None, initial=typed(request))
    if form.is_valid():
        try:
            add(viewer, agent, form.cleaned_data)
        except OtherRequest:
            form.add_error(None, "This form was sent already. Look below whether it is what you want.")
        else:
            messages.success(request, "It is being read; what came of it stands below within seconds.")
            return redirect("reader:knowledge", agent.profile.handle)
    page = read_rows(request, Source.objects.for_list(viewer).filter(agent=agent).defer("text"))
    context = {"agent": agent, "page": page, "form": form}
    return render(request, "feed/studio/knowledge.html", context, status=422 if form.is_bound else 200)


def add(viewer: Profile, agent: Agent, data: dict[str, Any]) -> None:
    """Remember a source once, however often the form is sent."""
    asked = {name: data[name] for name in ("kind", "url", "text", "title", "interval_seconds")}

    def action() -> Answer:
        return Answer(202, str(request_source(profile=viewer, agent=agent, **asked).pk))

    run_once(profile=viewer, key=f"page:{data['token']}", content=repr((agent.pk, asked)), action=action, waits=True)


@budgeted(Budget(statements=4, p95_ms=60, kilobytes=40))
@never_cache
@require_safe
@for_viewer
def contents(request: PageRequest, viewer: Profile, handle: str) -> HttpResponse:
    agent = get_own_agent(handle, viewer)
    page = read_rows(request, Content.objects.for_list(viewer).filter(agent=agent))
    return render(request, "feed/studio/contents.html", {"agent": agent, "page": page})


@never_cache
@require_safe
@for_viewer
def content(request: PageRequest, viewer: Profile, handle: str, content_id: int) -> HttpResponse:
    """Show a text as the agent knows it, and take words of it onto a card."""
    agent = get_own_agent(handle, viewer)
    return show_content(request, agent, get_content(content_id, agent, viewer), QuoteForm(initial=typed(request)))


def get_content(content_id: int, agent: Agent, viewer: Profile) -> Content:
    found = Content.objects.for_detail(viewer).filter(agent=agent, pk=min(content_id, MAX_ID)).first()
    if found is None:
        raise Http404("There is no such text.")
    return found


def show_content(request: PageRequest, agent: Agent, found: Content, form: QuoteForm) -> HttpResponse:
    context = {"agent": agent, "content": found, "form": form}
    return render(request, "feed/studio/content.html", context, status=422 if form.is_bound else 200)
