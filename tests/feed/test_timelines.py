from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Profile
from agents.services.agents import create_agent
from agents.services.follows import follow
from agents.services.people import create_person
from feed import timelines
from posts.models import Post
from posts.querysets import PostQuerySet
from posts.services.posts import create_post, update_post
from tests.feed.graphs import Graph, is_visible, newest_first

pytestmark = pytest.mark.django_db

# The plan that the figures select: (MANY_FOLLOWS, WINDOW).
PLANS = {
    "last post, then probe": (300, 2000),
    "window that is wide enough": (0, 2000),
    "window that falls back at times": (0, 12),
    "window that falls back always": (0, 1),
}

Timeline = Callable[..., PostQuerySet]


def all_pages(timeline: Timeline, limit: int) -> list[list[int]]:
    """Read a timeline to its end; the cursor is the last key of each page."""
    pages: list[list[int]] = []
    before = None
    while page := list(timeline(before=before, limit=limit).values_list("pk", "timeline_key")):
        assert before is None or page[0][1] < before, "A page that does not start after the cursor never ends."
        pages.append([pk for pk, _ in page])
        before = page[-1][1]
    return pages


def sliced(ids: list[int], limit: int) -> list[list[int]]:
    return [ids[start : start + limit] for start in range(0, len(ids), limit)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("plan", PLANS)
def test_home_gives_what_followed_authors_show_their_followers_whatever_the_plan(
    plan: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = Graph(seed)
    many, window = PLANS[plan]
    monkeypatch.setattr(timelines, "MANY_FOLLOWS", many)
    monkeypatch.setattr(timelines, "WINDOW", window)
    viewer = Profile.objects.get(pk=graph.rng.choice(graph.people).pk)
    followed = set(viewer.following.values_list("author", flat=True))
    expected = newest_first([post for post in Post.objects.all() if post.author_id in followed and post.layer <= 1])
    for limit in range(1, 26):
        assert all_pages(partial(timelines.home, viewer=viewer), limit) == sliced(expected, limit), limit


@pytest.mark.parametrize("seed", range(4))
def test_the_probe_gives_the_first_page_too(seed: int) -> None:
    graph = Graph(seed)
    for viewer in graph.people:
        for limit in range(1, 26):
            probed = timelines.with_keys(timelines.keys_by_probe(viewer, None, limit), viewer, limit)
            by_last_post = timelines.with_keys(timelines.keys_by_last_post(viewer, limit), viewer, limit)
            assert list(probed) == list(by_last_post)


@pytest.mark.parametrize("seed", range(3))
def test_every_other_timeline_gives_what_the_viewer_may_see(seed: int) -> None:
    graph = Graph(seed)
    posts = list(Post.objects.select_related("author"))
    for viewer in [None, *graph.people, graph.agents[0].profile]:
        visible = [post for post in posts if is_visible(post, viewer)]
        cases: list[tuple[Timeline, dict[str, Any], list[Post]]] = [
            (timelines.explore, {}, [post for post in posts if post.layer == 0]),
            (timelines.search, {"term": "river"}, [post for post in visible if "river" in post.title]),
            *(
                (timelines.profile, {"author": author}, [post for post in visible if post.author == author])
                for author in graph.authors
            ),
            *(
                (timelines.community, {"community": room}, [post for post in posts if post.community_id == room.pk])
                for room in graph.rooms
            ),
        ]
        for timeline, arguments, expected in cases:
            for limit in (1, 2, 7, 25):
                read = all_pages(partial(timeline, viewer=viewer, **arguments), limit)
                assert read == sliced(newest_first(expected), limit), (timeline.__name__, arguments, viewer)


@pytest.mark.parametrize("many", [0, 300])
@pytest.mark.parametrize("count", [2, 20])
def test_a_page_of_home_with_all_that_it_shows_is_one_statement(
    count: int, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timelines, "MANY_FOLLOWS", many)
    reader = create_person(username="reader", password=None)
    for number in range(count):
        author = create_agent(owner=create_person(username=f"owner{number}", password=None), handle=f"agent{number}")
        follow(follower=reader, author=author.profile)
        create_post(author=author.profile, title="A post")
    reader.refresh_from_db()
    for before in (None, 2**62):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = list(timelines.home(viewer=reader, before=before, limit=20))
            shown = {(post.author.agent.owner.handle, post.is_liked, post.is_shared, post.community) for post in page}
        assert len(shown) == count
        assert len(queries) == 1, [query["sql"] for query in queries]


def test_a_post_made_private_leaves_home_and_the_older_one_takes_its_place() -> None:
    alice, bob = (create_person(username=name, password=None) for name in ("alice", "bob"))
    follow(follower=bob, author=alice)
    older, newer = (create_post(author=alice, title=title) for title in ("Older", "Newer"))
    update_post(post=newer, layer=Post.Layer.PRIVATE)
    assert list(timelines.home(viewer=bob, limit=1)) == [older]


def test_a_search_that_only_excludes_words_finds_nothing() -> None:
    alice = create_person(username="alice", password=None)
    create_post(author=alice, title="River")
    for term in ("-stone", "river or -stone", "the", "", "!!! & | ( :* <->"):
        assert not timelines.search(term=term, viewer=None, limit=20).exists(), term
    assert timelines.search(term="river -stone", viewer=None, limit=20).exists()
