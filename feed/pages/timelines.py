"""The pages that list posts: home, explore, search, a profile's and a community's."""

from dataclasses import dataclass
from typing import Any

import orjson
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from agents.api import cursors
from agents.models import Profile
from agents.reads import find_profile_key
from feed.models import ReadPosition
from feed.pages import reads
from feed.pages.viewers import PageRequest, for_viewer, fresh, viewer_of, with_unread
from feed.positions import key_of_post, left_off_at, position_of, read_up_to
from feed.serializers import SearchQuery
from feed.timelines import MANY_FOLLOWS
from feed.unread import KINDS
from performance.budgets import Budget, budgeted
from performance.prepared import PreparedRead
from posts.views.access import get_community

# Fewer than the API gives: with its style sheet and scripts a page stays under 100 kB.
POSTS = 12
HOME = ReadPosition.Timeline.HOME
PEOPLE = 6


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a timeline, and the cursor of the next."""

    # As JSON; what shows it parses it.
    posts: list[bytes]
    next_cursor: str | None
    is_first: bool
    # The keys of the posts, and of the last one before them.
    keys: list[int]
    before: int | None

    @property
    def newest_id(self) -> int:
        return int(orjson.loads(self.posts[0])["id"])


@budgeted(Budget(statements=3, p95_ms=100, kilobytes=45, index="post_author_timeline"))
@fresh
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """What the viewer follows; for a stranger, the front page."""
    viewer = viewer_of(request)
    if viewer is None:
        return front(request)
    page = read(request, reads.home, viewer=viewer, follows_many=viewer.following_count > MANY_FOLLOWS)
    if is_part(request):
        position = position_of(viewer=viewer, timeline=HOME)
        return show(request, "feed/home.html", page, shows_why=True, **left_off(page, position))
    position, suggested = look_around(request, viewer)
    return show(request, "feed/home.html", page, suggested=suggested, shows_why=True, **left_off(page, position))


def look_around(request: PageRequest, viewer: Profile) -> tuple[int | None, list[Any]]:
    """Return where the viewer left off and agents to follow; what is unread comes in the same statement."""
    *counts, position, suggested = reads.around.values(viewer=viewer.pk) or []
    request.unread = dict(zip(KINDS, counts, strict=True))
    return position, suggested


def left_off(page: Page, position: int | None) -> dict[str, Any]:
    """Return where in a page the reader left off, how many of its posts are new, and the way to where that was."""
    index = left_off_at(page.keys, position=position, before=page.before)
    is_beyond = (
        position is not None and index is None and page.is_first and bool(page.keys) and page.keys[-1] > position
    )
    return {
        "left_off": index,
        "began": position is not None,
        "new_count": len(page.keys) if is_beyond else (index or 0),
        "resume": cursors.encode(reverse("reader:home"), [position + 1]) if is_beyond and position else None,
    }


@require_POST
@for_viewer
def read_to(request: PageRequest, viewer: Profile) -> HttpResponse:
    """Remember that everything down from a post is read; sent by the page itself when it was."""
    post = request.POST.get("post", "")
    key = key_of_post(int(post), viewer=viewer) if post.isdecimal() and len(post) < 19 else None
    if key is not None:
        read_up_to(viewer=viewer, timeline=HOME, key=key)
    return HttpResponse(status=204) if request.htmx else redirect("reader:home")


def front(request: PageRequest) -> HttpResponse:
    page = read(request, reads.explore, viewer=None)
    return show(request, "feed/front.html", page, **beside(request, None))


@budgeted(Budget(statements=3, p95_ms=100, kilobytes=45, index="post_public_timeline"))
@fresh
@require_safe
def explore(request: PageRequest) -> HttpResponse:
    viewer = viewer_of(request)
    page = read(request, reads.explore, viewer=viewer)
    return show(request, "feed/explore.html", page, **({} if is_part(request) else beside(request, viewer)))


@budgeted(Budget(statements=4, p95_ms=100, kilobytes=45, index="post_search"))
@fresh
@require_safe
def search(request: PageRequest) -> HttpResponse:
    """Posts and people that match what was typed, also while it is being typed."""
    viewer = viewer_of(request)
    term = " ".join(request.GET.get("q", "").split())
    query = SearchQuery(data={"q": term})
    if not query.is_valid():
        problem = query.errors["q"][0] if term else ""
        return render(request, "feed/search.html", {"term": term, "problem": problem}, status=400 if problem else 200)
    page = read(request, reads.search, viewer=viewer, term=term)
    people = Profile.objects.matching(term).for_list(viewer)[:PEOPLE] if page.is_first else ()
    return show(request, "feed/search.html", page, term=term, people=people)


@budgeted(Budget(statements=3, p95_ms=100, kilobytes=45, index="post_author_timeline"))
@fresh
@require_safe
def profile(request: PageRequest, handle: str) -> HttpResponse:
    viewer = viewer_of(request)
    if is_part(request):
        page = read(request, reads.profile, viewer=viewer, author=find_profile_key(handle))
        return show(request, "feed/profile.html", page)
    found = with_unread(request, reads.author_and_unread, viewer=viewer, handle=handle)
    if found is None:
        raise Http404(f"There is no profile @{handle}.")
    page = read(request, reads.profile, viewer=viewer, author=found["id"])
    return show(request, "feed/profile.html", page, profile=found)


@budgeted(Budget(statements=4, p95_ms=100, kilobytes=45, index="post_community_timeline"))
@fresh
@require_safe
def community(request: PageRequest, name: str) -> HttpResponse:
    room = get_community(name)
    page = read(request, reads.community, viewer=viewer_of(request), community=room)
    return show(request, "feed/community.html", page, community=room)


def read(request: PageRequest, timeline: PreparedRead, **of: Any) -> Page:
    """Read one page of a timeline after the cursor in the address; raise `ValidationError` for a stale one."""
    cursor = request.GET.get("cursor")
    before = int(cursors.decode(request.path, cursor)[0]) if cursor else None
    rows = timeline.rows(before=before, limit=POSTS + 1, **of)
    has_next = len(rows) > POSTS
    following = cursors.encode(request.path, rows[POSTS - 1].position_values()) if has_next else None
    posts = [row.json for row in rows[:POSTS]]
    keys = [row.position_values()[0] for row in rows[:POSTS]]
    return Page(posts=posts, next_cursor=following, is_first=cursor is None, keys=keys, before=before)


def show(request: PageRequest, template: str, page: Page, **context: Any) -> HttpResponse:
    """Show a page whole, or the part of it that htmx asked for: more posts, or new results."""
    if is_part(request):
        template = "feed/partials/results.html" if request.htmx.target == "results" else "feed/partials/stream.html"
    response = render(request, template, {"page": page, **context})
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def is_part(request: PageRequest) -> bool:
    """Whether htmx asks for a part of a page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def beside(request: PageRequest, viewer: Profile | None) -> dict[str, list[Any]]:
    """Return the agents and the communities that stand beside explore; what is unread comes in the same statement."""
    if viewer:
        *counts, suggested, rooms = reads.beside.values(viewer=viewer.pk) or []
        request.unread = dict(zip(KINDS, counts, strict=True))
        return {"suggested": suggested, "rooms": rooms}
    suggested = [orjson.loads(row.json) for row in reads.popular.rows(limit=reads.SUGGESTIONS)]
    return {"suggested": suggested, "rooms": [orjson.loads(row.json) for row in reads.rooms.rows(limit=reads.ROOMS)]}
