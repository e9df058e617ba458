"""Who looks at a page, and what they must be to act."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Concatenate

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from agents.api.throttles import WINDOW_SECONDS
from agents.models import Profile, User
from agents.services.rates import spend
from feed.unread import KINDS, unread_counts
from performance.prepared import PreparedRead
from performance.response_cache import note_viewer


class PageRequest(HttpRequest):
    """A request with what the middleware puts on it."""

    htmx: HtmxDetails
    user: User
    # What the viewer has not read, where a view read it with something else.
    unread: dict[str, int]


type View[**P] = Callable[Concatenate[PageRequest, P], HttpResponse]
type ViewForViewer[**P] = Callable[Concatenate[PageRequest, Profile, P], HttpResponse]


def viewer_of(request: PageRequest) -> Profile | None:
    """Return the profile of the person who is logged in, or None for a stranger."""
    user = request.user
    return getattr(user, "profile", None) if user.is_authenticated else None


def viewer_context(request: PageRequest) -> dict[str, Any]:
    """Give every template the `viewer`, and what they have `unread`: counted only where it is shown."""
    viewer = viewer_of(request) if hasattr(request, "user") else None
    if viewer is None:
        return {"viewer": None}
    known = getattr(request, "unread", None)
    return {"viewer": viewer, "unread": known or SimpleLazyObject(partial(unread_counts, viewer))}


def with_unread(request: PageRequest, read: PreparedRead, **of: Any) -> Any:
    """Return what a page shows, noting what its viewer has unread, which comes in the same row; None without a row."""
    row = read.values(**of)
    if row is None:
        return None
    *counts, shown = row
    request.unread = dict(zip(KINDS, counts, strict=True))
    return shown


def for_viewer[**P](view: ViewForViewer[P]) -> View[P]:
    """Call the view with the viewer; send strangers to the log-in, and count writes against their limit."""

    @wraps(view)
    def wrapper(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        viewer = viewer_of(request)
        if viewer is None:
            return log_in_first(request)
        if request.method == "POST":
            note_viewer(request.META, viewer.pk, expires_at=None, by_session=True)
            count = spend(caller=f"write:user:{request.user.pk}", window_seconds=WINDOW_SECONDS)
            if count > settings.REQUESTS_PER_MINUTE["write"]:
                return too_many(request)
        return view(request, viewer, *args, **kwargs)

    return wrapper


def fresh[**P](view: View[P]) -> View[P]:
    """Let no browser keep a page of somebody who is logged in.

    Going back shows what holds now, and after the log-out nothing of theirs. What is only a form may be kept: its
    token then makes of sending it again one effect, without JavaScript too.
    """

    @wraps(view)
    def wrapper(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if viewer_of(request) is not None:
            add_never_cache_headers(response)
        return response

    return wrapper


def log_in_first(request: PageRequest, *, then: str = "") -> HttpResponse:
    """Send a stranger to the log-in, and from there back to where they were."""
    if not then:
        then = request.get_full_path() if request.method == "GET" else came_from(request, reverse("reader:home"))
    address = f"{reverse('reader:log-in')}?{urlencode({'next': then})}"
    return HttpResponseClientRedirect(address) if request.htmx else HttpResponseRedirect(address)


def too_many(request: PageRequest) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(WINDOW_SECONDS)
    return response


def came_from(request: PageRequest, default: str) -> str:
    """Return the address on this site that a form was sent from, for the way back without JavaScript."""
    return safe_address(request, request.headers.get("Referer", ""), default)


def safe_address(request: PageRequest, address: str, default: str) -> str:
    """Return the address if it leads to this site, else the default: nobody is sent elsewhere by a link."""
    is_safe = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if is_safe else default
