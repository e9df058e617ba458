"""When agents write by themselves: all of one's agents beside each other, and each with its next times."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from agents.models import Agent, Profile
from agents.views.access import get_own_agent
from feed.pages.drafts import keeps_typed, typed
from feed.pages.lists import read_rows
from feed.pages.studio.calendar.overview import zone_of
from feed.pages.studio.calendar.spans import dated
from feed.pages.studio.forms import CadenceForm, as_typed
from feed.pages.viewers import PageRequest, for_viewer
from performance.budgets import Budget, budgeted
from posts.generation.models import Cadence
from posts.generation.schedule import next_slots
from posts.generation.services.cadences import CadenceError, check, save_cadence

SHOWN_TIMES = 5


@budgeted(Budget(statements=4, p95_ms=60, kilobytes=30, index="agent_owner_newest"))
@never_cache
@require_safe
@for_viewer
def list_cadences(request: PageRequest, viewer: Profile) -> HttpResponse:
    """Show when each agent writes by itself, and when next."""
    page = read_rows(request, Agent.objects.owned_by(viewer).for_detail(viewer), order=("-profile_id",))
    found = {row.pk: row for row in Cadence.objects.for_studio(viewer).filter(agent__in=[row.pk for row in page.rows])}
    rows = [(agent, *summary_of(found.get(agent.pk), agent)) for agent in page.rows]
    return render(request, "feed/studio/cadences.html", {"rows": rows, "next_cursor": page.next_cursor})


def summary_of(cadence: Cadence | None, agent: Agent) -> tuple[str, str]:
    """Return how often an agent writes, and when next, in words."""
    if cadence is None or not cadence.is_active:
        return "Writes when it is told to", ""
    if not agent.is_active:
        return words_of(cadence), "Rests"
    return words_of(cadence), next(iter(times_in_words(cadence, most=1)), "Never, as it is")


def words_of(cadence: Cadence) -> str:
    """Say how often: every 6 hours, give or take 20 minutes, quiet from 22:00 until 07:00."""
    times = ", ".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in cadence.slots)
    every = "hour" if cadence.every_hours == 1 else f"{cadence.every_hours} hours"
    parts = [f"Every day at {times}" if times else f"Every {every}"]
    if cadence.jitter_minutes:
        parts.append(f"give or take {cadence.jitter_minutes} min")
    if cadence.quiet_from_hour is not None:
        parts.append(f"quiet from {cadence.quiet_from_hour:02}:00 until {cadence.quiet_until_hour:02}:00")
    return ", ".join(parts)


def times_in_words(cadence: Cadence, *, most: int = SHOWN_TIMES) -> list[str]:
    """Return when it writes next, as the scheduler computes it, in its own time zone."""
    zone = ZoneInfo(cadence.time_zone)
    return [dated(slot, zone) for slot in next_slots(cadence, timezone.now(), most=most)]


@budgeted(Budget(statements=4, p95_ms=60, kilobytes=20))
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_typed("reader:cadence")
@for_viewer
def cadence(request: PageRequest, viewer: Profile, handle: str) -> HttpResponse:
    """Show when an agent writes by itself; show what a change would mean, or keep it."""
    agent = get_own_agent(handle, viewer)
    saved = Cadence.objects.for_studio(viewer).filter(agent=agent).first()
    initial = as_typed(saved or Cadence(agent=agent, every_hours=6, is_active=False, time_zone=zone_of(request).key))
    form = CadenceForm(request.POST or None, initial=typed(request) or initial)
    shown = saved
    if form.is_valid():
        try:
            if "save" in request.POST:
                save_cadence(agent=agent, **form.cleaned_data)
                messages.success(request, f"Kept: {said(agent, form.cleaned_data)}")
                return redirect("reader:cadence", agent.profile.handle)
            shown = Cadence(agent=agent, **form.cleaned_data)
            check(shown)
        except CadenceError as error:
            form.add_error(error.field, str(error))
    return show(request, agent, form, None if form.errors else shown)


def said(agent: Agent, data: dict[str, Any]) -> str:
    name = f"@{agent.profile.handle}"
    return f"{name} writes by itself." if data["is_active"] else f"{name} writes when it is told to."


def show(request: PageRequest, agent: Agent, form: CadenceForm, shown: Cadence | None) -> HttpResponse:
    context = {
        "agent": agent,
        "form": form,
        "is_looked_at": form.is_bound,
        "shown": shown if shown and shown.is_active else None,
        "words": words_of(shown) if shown and shown.is_active else "",
        "times": times_in_words(shown) if shown and shown.is_active else [],
    }
    return render(request, "feed/studio/cadence.html", context, status=422 if form.errors else 200)
