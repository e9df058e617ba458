"""The calendar itself, and what waits beside it."""

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from agents.api import cursors
from agents.models import Profile
from agents.services.people import set_time_zone
from feed.pages.studio.calendar import outlook
from feed.pages.studio.calendar.entries import Entry, entries_of, hidden_days, hours, weeks
from feed.pages.studio.calendar.spans import VIEWS, asked_span
from feed.pages.viewers import PageRequest, came_from, for_viewer
from performance.budgets import Budget, budgeted
from posts.publishing.models import Publication
from posts.publishing.networks import NETWORKS

# What waits is shown up to so many: a person decides about one after the other.
SHOWN_WAITING = 20


@budgeted(Budget(statements=4, p95_ms=100, kilobytes=57))
@never_cache
@require_safe
@for_viewer
def calendar(request: PageRequest, viewer: Profile) -> HttpResponse:
    """Show a month, a week or a day in the viewer's time zone."""
    zone = zone_of(request)
    span = asked_span(request.GET.get("view", ""), request.GET.get("day", ""), zone)
    found = Publication.objects.for_calendar(viewer, span.start, span.end, zone=zone, per_day=span.per_day)
    network = request.GET.get("network", "")
    if network in NETWORKS:
        found = found.filter(network=network)
    # Only a day goes on: what a month or a week does not show of a day is shown by the day's own page.
    cursor = request.GET.get("cursor") if span.view == "day" else None
    scope = f"{request.path}?{span.day}"
    position = cursors.decode(scope, cursor) if cursor else None
    entries = entries_of(cursors.rows_after(found, ("moment", "id"), position), zone)
    hidden = hidden_days(entries)
    waiting = entries_of(Publication.objects.for_attention(viewer)[:SHOWN_WAITING], zone)
    context = {
        "span": span,
        "views": VIEWS,
        "network": network if network in NETWORKS else "",
        "networks": sorted(NETWORKS),
        "weeks": weeks(span, entries) if span.view == "month" else None,
        "hours": hours(span, entries) if span.view != "month" else None,
        "is_empty": not entries,
        "hidden_days": hidden,
        "is_first": cursor is None,
        "later": later_than(entries[-1], scope) if hidden and span.view == "day" else None,
        "to_decide": [entry for entry in waiting if is_for_owner(entry.publication)],
        "troubled": [entry for entry in waiting if not is_for_owner(entry.publication)],
        "time_zone": zone.key,
        "has_chosen_zone": bool(request.user.time_zone),
    }
    return render(request, "feed/studio/calendar.html", context)


def later_than(entry: Entry, scope: str) -> str:
    """Return the cursor of what comes after an entry on its day."""
    return cursors.encode(scope, cursors.position_of(entry.publication, ("moment", "id")))


def is_for_owner(publication: Publication) -> bool:
    return publication.status == "pending_approval" or outlook.needs_answer(publication)


def zone_of(request: PageRequest) -> ZoneInfo:
    """Return the time zone that the person who is logged in looks at calendars in."""
    return ZoneInfo(request.user.time_zone or "UTC")


@require_POST
@for_viewer
def choose_zone(request: PageRequest, viewer: Profile) -> HttpResponse:
    name = request.POST.get("time_zone", "").strip()
    try:
        set_time_zone(user=request.user, name=name)
    except ValidationError:
        messages.error(request, f"There is no time zone called “{name[:64]}”. Names look like Europe/Berlin.")
    return HttpResponseRedirect(came_from(request, reverse("reader:calendar")))
