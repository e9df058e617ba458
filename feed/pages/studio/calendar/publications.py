"""One publication: its text, its history, and what its owner decides about it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from agents.models import Profile
from feed.pages.drafts import keeps_typed, typed
from feed.pages.studio.calendar import outlook
from feed.pages.studio.calendar.entries import Entry
from feed.pages.studio.calendar.forms import MoveForm, ProofForm
from feed.pages.studio.calendar.overview import zone_of
from feed.pages.studio.calendar.spans import dated
from feed.pages.viewers import PageRequest, came_from, for_viewer
from performance.budgets import Budget, budgeted
from posts.publishing.models import Publication, PublicationEvent
from posts.publishing.services import publications
from posts.publishing.services.slots import moment_of
from posts.publishing.services.transitions import Overtaken

DONE = {
    "approve": "Approved.",
    "reject": "Rejected: it does not go out.",
    "publish-now": "It goes out now.",
    "cancel": "Called off.",
    "retry": "It is tried again.",
    "is-out": "Settled: it is published.",
    "is-not-out": "Settled: it is sent once more.",
}


@budgeted(Budget(statements=4, p95_ms=60, kilobytes=60, index="publishing_publication_pkey"))
@never_cache
@require_safe
@for_viewer
def publication(request: PageRequest, viewer: Profile, publication_id: int) -> HttpResponse:
    return show(request, get_own_publication(publication_id, viewer))


def get_own_publication(publication_id: int, owner: Profile) -> Publication:
    found = Publication.objects.for_detail(owner).filter(pk=publication_id).first()
    if found is None:
        raise Http404("There is no such publication.")
    return found


def show(request: PageRequest, found: Publication, move_form: MoveForm | None = None) -> HttpResponse:
    zone = zone_of(request)
    entry = Entry(found, zone)
    if move_form is None and entry.is_movable and entry.moment:
        planned = {"day": entry.local.date(), "time": entry.local.time(), "expected": entry.expected}
        move_form = MoveForm(initial=planned | typed(request))
    context = {
        "entry": entry,
        "publication": found,
        "form": move_form if entry.is_movable else None,
        "refusals": move_form.non_field_errors() if move_form and not entry.is_movable else [],
        "history": [(dated(event.created_at, zone), event) for event in PublicationEvent.objects.for_history(found)],
        "time_zone": zone.key,
    }
    status = 422 if move_form is not None and move_form.is_bound else 200
    return render(request, "feed/studio/publication.html", context, status=status)


@require_POST
@keeps_typed("reader:publication")
@for_viewer
def move(request: PageRequest, viewer: Profile, publication_id: int) -> HttpResponse:
    """Give a publication another day, or another day and time; who looks at an old page is told so."""
    found = get_own_publication(publication_id, viewer)
    form = MoveForm(request.POST)
    if form.is_valid() and (moment := moment_for(request, found, form)):
        try:
            if moment != found.scheduled_at:
                publications.move(publication=found, actor=viewer, scheduled_at=moment)
        except Overtaken as error:
            form.add_error(None, f"Too late to move it: {spoken(error)}")
        else:
            messages.success(request, f"Moved to {dated(moment, zone_of(request))}.")
            return HttpResponseRedirect(came_from(request, calendar_at(moment, request)))
    return show(request, get_own_publication(publication_id, viewer), form)


def moment_for(request: PageRequest, found: Publication, form: MoveForm) -> datetime | None:
    """Return the moment a valid form asks for, or say in the form why that cannot be."""
    zone = zone_of(request)
    entry = Entry(found, zone)
    time = form.cleaned_data["time"] or (entry.local.time() if entry.moment else None)
    if time is None:
        form.add_error("time", "Give a time.")
        return None
    moment = moment_of(datetime.combine(form.cleaned_data["day"], time.replace(tzinfo=None)), zone.key)
    expected = form.cleaned_data["expected"]
    if expected and expected != entry.expected and moment != found.scheduled_at:
        form.add_error(None, f"It was moved meanwhile: it is at {entry.dated} now. Send again if you still mean it.")
        form.change(expected=entry.expected)
        return None
    try:
        publications.check_schedule(moment)
    except ValidationError as error:
        form.add_error("day", error)
        return None
    return moment


def calendar_at(moment: datetime | None, request: PageRequest) -> str:
    """Return the address of the month that a moment is in."""
    address = reverse("reader:calendar")
    return f"{address}?day={moment.astimezone(zone_of(request)).date()}" if moment else address


@require_POST
@for_viewer
def decide(request: PageRequest, viewer: Profile, publication_id: int, decision: str) -> HttpResponse:
    """Approve, reject, publish now, call off, retry or settle, if the state allows it."""
    if decision not in DONE:
        raise Http404("There is no such decision.")
    found = get_own_publication(publication_id, viewer)
    proof = ProofForm(request.POST)
    if not proof.is_valid():
        messages.error(request, "Nothing was changed: the address of the post is no web address.")
        return HttpResponseRedirect(came_from(request, reverse("reader:publication", args=[found.pk])))
    services: dict[str, Callable[..., Any]] = {
        "approve": publications.approve,
        "reject": publications.cancel,
        "publish-now": partial(publications.move, scheduled_at=timezone.now()),
        "cancel": publications.cancel,
        "retry": publications.retry,
        "is-out": partial(publications.resolve, is_out=True, url=proof.cleaned_data["url"]),
        "is-not-out": partial(publications.resolve, is_out=False),
    }
    try:
        if decision not in outlook.actions(found):
            # An old page: what it offered is no longer what this would do.
            raise Overtaken(f"It is {outlook.words(found).lower()} now.")
        services[decision](publication=found, actor=viewer)
    except Overtaken as error:
        messages.error(request, f"Nothing was changed: {spoken(error)}")
    else:
        messages.success(request, DONE[decision])
    return HttpResponseRedirect(came_from(request, calendar_at(found.scheduled_at, request)))


def spoken(error: Overtaken) -> str:
    return str(error).replace("_", " ")
