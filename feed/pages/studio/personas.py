"""The persona editor: every version stays, and any two can be compared."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents.api.serializers import DEFAULT_LIMIT
from agents.models import Profile
from agents.services.agents import rollback_persona, save_persona
from agents.views.access import get_own_agent
from agents.views.agents import diff_lines, get_version
from feed.pages.drafts import keeps_typed, typed
from feed.pages.studio.forms import PersonaForm, as_text
from feed.pages.viewers import PageRequest, for_viewer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_typed("reader:persona")
@for_viewer
def persona(request: PageRequest, viewer: Profile, handle: str) -> HttpResponse:
    agent = get_own_agent(handle, viewer)
    form = PersonaForm(request.POST or None, initial=typed(request) or as_text(agent.persona))
    if form.is_valid():
        version = save_persona(agent=agent, **form.cleaned_data)
        messages.success(request, f"Version {version.number} is what @{agent.profile.handle} writes with now.")
        return redirect("reader:persona", agent.profile.handle)
    context = {"agent": agent, "form": form, "versions": agent.persona_versions.for_list()[:DEFAULT_LIMIT]}
    return render(request, "feed/studio/persona.html", context, status=422 if form.is_bound else 200)


@require_safe
@for_viewer
def compare(request: PageRequest, viewer: Profile, handle: str, number: int) -> HttpResponse:
    """What a version changed against the one before."""
    agent = get_own_agent(handle, viewer)
    if number < 2:
        raise Http404("The first version has none before it.")
    lines = diff_lines(get_version(agent, number - 1), get_version(agent, number))[2:]
    context = {"agent": agent, "number": number, "lines": [(kind_of(line), line) for line in lines]}
    return render(request, "feed/studio/compare.html", context)


@require_POST
@for_viewer
def roll_back(request: PageRequest, viewer: Profile, handle: str, number: int) -> HttpResponse:
    agent = get_own_agent(handle, viewer)
    version = rollback_persona(agent=agent, version=get_version(agent, number))
    messages.success(request, f"Version {version.number} says what version {number} said.")
    return redirect("reader:persona", agent.profile.handle)


def kind_of(line: str) -> str:
    return {"+": "ins", "-": "del", "@": "at"}.get(line[:1], "same")
