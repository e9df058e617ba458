"""Scheduling a text: what each network would make of it first, then into the queue."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from agents.api.views import MAX_ID
from agents.models import Profile
from agents.services.once import Answer, OtherRequest, run_once
from feed.pages.drafts import keeps_typed, typed
from feed.pages.studio.calendar.forms import ScheduleForm
from feed.pages.studio.calendar.overview import zone_of
from feed.pages.studio.calendar.previews import preview
from feed.pages.studio.calendar.publications import calendar_at
from feed.pages.studio.calendar.spans import asked_span, dated
from feed.pages.viewers import PageRequest, for_viewer
from performance.budgets import Budget, budgeted
from posts.models import Post
from posts.publishing.models import SocialAccount
from posts.publishing.serializers import MAX_ACCOUNTS
from posts.publishing.services.requests import body_of, submit

HOUR = timedelta(hours=1)


@budgeted(Budget(statements=4, p95_ms=60, kilobytes=40, index="social_account_owner_newest"))
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_typed("reader:schedule")
@for_viewer
def schedule(request: PageRequest, viewer: Profile) -> HttpResponse:
    """Ask what is to go out, show what networks would make of it, and queue it on confirmation."""
    accounts = SocialAccount.objects.for_list(viewer)[:MAX_ACCOUNTS]
    zone = zone_of(request)
    if request.method != "POST":
        kept = typed(request)
        post = find_post(kept.get("post") or request.GET.get("post", ""), viewer)
        moment = proposed(asked_span("day", request.GET.get("day", ""), zone).day, zone)
        initial = {
            "day": moment.date(),
            "time": request.GET.get("time", f"{moment:%H:%M}")[:5],
            "text": body_of(post) if post else "",
            "post": post.pk if post else None,
        }
        return show(request, ScheduleForm(accounts=accounts, zone=zone, post=post, initial=kept or initial))
    post = find_post(request.POST.get("post", ""), viewer)
    form = ScheduleForm(request.POST, accounts=accounts, zone=zone, post=post)
    if form.is_valid() and "schedule" in request.POST:
        try:
            answer = queue(viewer, form)
        except OtherRequest:
            form.add_error(None, "This form was sent already, with another text. Send it again if you mean both.")
            form.change(token=uuid4().hex)
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            return confirm(request, answer, form)
    return show(request, form)


def proposed(day: date, zone: ZoneInfo) -> datetime:
    """Return nine o'clock of that day; of today the next full hour, when nine has passed."""
    nine, now = datetime.combine(day, time(9), zone), timezone.now().astimezone(zone)
    return nine if nine > now or day < now.date() else now.replace(minute=0, second=0, microsecond=0) + HOUR


def find_post(post_id: object, viewer: Profile) -> Post | None:
    """Find a post of the viewer's own or of their agents': nobody publishes what others wrote."""
    if not str(post_id or "").isdecimal() or int(str(post_id)) > MAX_ID:
        return None
    return Post.objects.published().answered_for_by(viewer).filter(pk=int(str(post_id))).first()


def queue(viewer: Profile, form: ScheduleForm) -> dict[str, Any]:
    """Put the text of a valid form into the outbox, once however often the form is sent."""
    data, wanted = form.cleaned_data, form.wanted

    def action() -> Answer:
        rows, warnings = submit(author=viewer, wanted=wanted)
        moments = [row.scheduled_at.isoformat() if row.scheduled_at else None for row in rows]
        return Answer(202, json.dumps({"moments": moments, "warnings": warnings}))

    asked = json.dumps({name: value for name, value in data.items() if name != "token"}, default=str)
    answer = run_once(profile=viewer, key=f"page:{data['token']}", content=asked, action=action, waits=True)
    return dict(json.loads(answer.body))


def confirm(request: PageRequest, answer: dict[str, Any], form: ScheduleForm) -> HttpResponse:
    moments = [datetime.fromisoformat(moment) if moment else None for moment in answer["moments"]]
    for account, moment in zip(form.chosen, moments, strict=True):
        when = f"on {dated(moment, form.zone)}" if moment else "now"
        messages.success(request, f"Goes to {account.handle or account.network} {when}.")
    for warning in answer["warnings"]:
        messages.warning(request, warning)
    return HttpResponseRedirect(calendar_at(moments[0], request))


def show(request: PageRequest, form: ScheduleForm) -> HttpResponse:
    """Show the form, and what each chosen account would publish once there is a text."""
    wanted = form.wanted
    previews = [preview(account, wanted) for account in form.chosen] if wanted.body.strip() or wanted.variants else []
    context = {"form": form, "previews": previews, "time_zone": form.zone.key}
    # What is only looked at is not refused: its problems are part of the preview.
    is_refused = form.is_bound and bool(form.errors) and "preview" not in request.POST
    return render(request, "feed/studio/schedule.html", context, status=422 if is_refused else 200)
