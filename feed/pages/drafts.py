"""What was typed when the session had ended: it waits in the new one until after the log-in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse

from agents.api.throttles import WINDOW_SECONDS, login_caller
from agents.services.rates import spend
from feed.pages.viewers import PageRequest, View, log_in_first, viewer_of

KEY = "drafts"
MOST_DRAFTS = 5
# Of a whole form: a session is read with every request.
MOST_CHARACTERS = 60_000
NEVER_KEPT = ("csrfmiddlewaretoken", "password")


def keep(request: PageRequest, name: str, **lengths: int) -> None:
    """Keep fields of a form, each up to a length, under the name of the form."""
    store(request, name, {field: request.POST.get(field, "")[:most] for field, most in lengths.items()})


def store(request: PageRequest, name: str, typed: dict[str, Any]) -> None:
    drafts = {**request.session.get(KEY, {}), name: typed}
    request.session[KEY] = dict(list(drafts.items())[-MOST_DRAFTS:])
    messages.warning(request, "You were logged out meanwhile. What you wrote is kept and there again once you log in.")


def take(request: PageRequest, name: str) -> dict[str, Any]:
    """Return what was kept of a form, once."""
    drafts = request.session.get(KEY)
    if not drafts or name not in drafts or viewer_of(request) is None:
        return {}
    kept: dict[str, Any] = drafts.pop(name)
    request.session[KEY] = drafts
    return kept


def keeps_typed[**P](page: str, *, of_one: bool = True) -> Callable[[View[P]], View[P]]:
    """Keep what is sent to a view by somebody whose session has ended, for the page that `typed` reads it on.

    The page is of the same one thing as the view, or it lists them all.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapper(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method != "POST" or viewer_of(request) is not None:
                return view(request, *args, **kwargs)
            then = reverse(page, args=args, kwargs=kwargs) if of_one else reverse(page)
            # Sessions are rows: a stranger makes as few as they may try to log in.
            if spend(caller=login_caller(request, ""), window_seconds=WINDOW_SECONDS) <= most_a_minute():
                store(request, then, fields_of(request))
            return log_in_first(request, then=then)

        return wrapper

    return decorate


def most_a_minute() -> int:
    return int(settings.REQUESTS_PER_MINUTE["login"])


def fields_of(request: PageRequest) -> dict[str, list[str]]:
    """Return the fields of a form up to a length, without what nobody else may read."""
    fields, left = {}, MOST_CHARACTERS
    for name, values in request.POST.lists():
        if not name.startswith(NEVER_KEPT):
            fields[name] = [value[:left].replace("\x00", "") for value in values]
            left = max(0, left - sum(map(len, values)))
    return fields


def typed(request: PageRequest) -> dict[str, Any]:
    """Return what was typed on this page before the log-in, once, as the initial values of its form."""
    return {name: values[0] if len(values) == 1 else values for name, values in take(request, request.path).items()}
