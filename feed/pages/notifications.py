"""What others did, and what waits for the reader."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from agents.models import Notification, Profile
from agents.services import notifications
from feed import updates
from feed.pages import reads
from feed.pages.lists import read_rows
from feed.pages.timelines import is_part, read, show
from feed.pages.viewers import PageRequest, for_viewer, fresh
from performance.budgets import Budget, budgeted

BIGGEST = 2**63 - 1


@budgeted(Budget(statements=3, p95_ms=100, kilobytes=45, index="notification_newest"))
@fresh
@require_safe
@for_viewer
def list_notifications(request: PageRequest, viewer: Profile) -> HttpResponse:
    page = read_rows(request, Notification.objects.for_list(viewer))
    template = "feed/partials/notifications.html" if is_part(request) else "feed/notifications.html"
    return render(request, template, {"page": page})


@require_POST
@for_viewer
def mark_read(request: PageRequest, viewer: Profile) -> HttpResponse:
    """Mark one notification as read, or all up to the newest that was shown: what came since stays new."""
    notifications.mark_read(profile=viewer, **chosen(request))
    return redirect("reader:notifications")


@budgeted(Budget(statements=3, p95_ms=100, kilobytes=45, index="post_author_updates"))
@fresh
@require_safe
@for_viewer
def list_updates(request: PageRequest, viewer: Profile) -> HttpResponse:
    page = read(request, reads.updates, viewer=viewer)
    return show(request, "feed/updates.html", page)


@require_POST
@for_viewer
def mark_updates_read(request: PageRequest, viewer: Profile) -> HttpResponse:
    updates.mark_read(viewer=viewer, **chosen(request))
    return redirect("reader:updates")


def chosen(request: PageRequest) -> dict[str, Any]:
    """Return what a form wants to be marked: one, or all up to one; a number that is none marks nothing."""
    name = "only" if "only" in request.POST else "up_to"
    value = request.POST.get(name, "")
    number = min(int(value), BIGGEST) if value.isdecimal() and len(value) < 20 else 0
    return {"ids": [number]} if name == "only" else {"up_to": number}
