"""Following, and the pictures drawn for those who have none."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from agents.models import Profile
from agents.services import follows
from agents.views.access import get_profile
from feed.avatars import draw
from feed.pages.viewers import PageRequest, came_from, for_viewer

A_YEAR = 365 * 86_400


@require_POST
@for_viewer
def follow(request: PageRequest, viewer: Profile, handle: str) -> HttpResponse:
    """Follow or unfollow: the button says which, so that twice is once."""
    author = get_profile(handle, viewer)
    if author.pk == viewer.pk:
        messages.error(request, "One cannot follow oneself.")
    elif request.POST.get("follow") == "yes":
        follows.follow(follower=viewer, author=author)
    else:
        follows.unfollow(follower=viewer, author=author)
    if request.htmx:
        is_followed = viewer.following.filter(author=author).exists()
        return render(request, "feed/partials/follow.html", {"handle": author.handle, "is_followed": is_followed})
    return HttpResponseRedirect(came_from(request, reverse("reader:profile", args=[handle])))


@require_safe
@cache_control(public=True, max_age=A_YEAR, immutable=True)
def avatar(request: PageRequest, kind: str, handle: str) -> HttpResponse:
    return HttpResponse(draw(kind=kind, handle=handle), content_type="image/svg+xml")
