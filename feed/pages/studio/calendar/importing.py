"""Many publications from a file: looked at line by line, then all of them or none."""

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from agents.models import Profile
from agents.services.once import Answer, OtherRequest, run_once
from feed.pages.drafts import keeps_typed, typed
from feed.pages.studio.calendar.forms import ImportForm
from feed.pages.studio.calendar.overview import zone_of
from feed.pages.studio.calendar.publications import calendar_at
from feed.pages.studio.calendar.spans import dated
from feed.pages.viewers import PageRequest, for_viewer
from performance.budgets import Budget, budgeted
from posts.publishing.models import SocialAccount
from posts.publishing.networks import network_named
from posts.publishing.serializers import MAX_ACCOUNTS
from posts.publishing.services import imports

# Of thousands of lines a person reads the first few; the counts tell of the rest.
SHOWN_LINES = 100


@budgeted(Budget(statements=3, p95_ms=60, kilobytes=40, index="social_account_owner_newest"))
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_typed("reader:import")
@for_viewer
def bulk_import(request: PageRequest, viewer: Profile) -> HttpResponse:
    """Look at a file, and import it on confirmation if no line has an error."""
    form = ImportForm(request.POST or None, request.FILES or None, initial=typed(request))
    rows: list[imports.Row] = []
    if form.is_valid():
        text = form.cleaned_data["text"]
        form.change(text=text)
        try:
            rows = look_at(viewer, text)
            if "import" in request.POST and rows and not any(row.errors for row in rows):
                return confirm(request, viewer, rows, form)
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        except OtherRequest:
            form.add_error(None, "This form was sent already, with another file. Look at your calendar first.")
    return show(request, viewer, form, rows)


def look_at(viewer: Profile, text: str) -> list[imports.Row]:
    lines = ImportForm.rows_of(text)
    if lines is not None and len(lines) > imports.MAX_ROWS:
        raise ValidationError(f"At most {imports.MAX_ROWS} lines at a time.")
    rows = imports.look_at(author=viewer, lines=imports.read_csv(text) if lines is None else lines)
    if not rows:
        raise ValidationError("There are no lines in it.")
    return rows


def confirm(request: PageRequest, viewer: Profile, rows: list[imports.Row], form: ImportForm) -> HttpResponse:
    """Import once, however often the form is sent."""

    def action() -> Answer:
        return Answer(201, json.dumps(len(imports.write(author=viewer, rows=rows))))

    data: dict[str, Any] = form.cleaned_data
    key = f"page:{data['token']}"
    answer = run_once(profile=viewer, key=key, content=data["text"], action=action, waits=True)
    messages.success(request, f"{json.loads(answer.body)} publications imported.")
    moments = [row.scheduled_at for row in rows if row.scheduled_at]
    return HttpResponseRedirect(calendar_at(min(moments, default=None), request))


def show(request: PageRequest, viewer: Profile, form: ImportForm, rows: list[imports.Row]) -> HttpResponse:
    zone = zone_of(request)
    bad = [row for row in rows if row.errors]
    context = {
        "form": form,
        "rows": [(row, dated(row.scheduled_at, zone) if row.scheduled_at else "At once") for row in rows[:SHOWN_LINES]],
        "bad": bad[:SHOWN_LINES],
        "row_count": len(rows),
        "bad_count": len(bad),
        "accounts": [
            (account, network_named(account.network).label)
            for account in SocialAccount.objects.for_list(viewer)[:MAX_ACCOUNTS]
        ],
        "time_zone": zone.key,
    }
    is_refused = bad or (form.is_bound and form.errors)
    return render(request, "feed/studio/import.html", context, status=422 if is_refused else 200)
