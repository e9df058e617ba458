"""Every page of the reader: what it shows to whom, and in how many statements."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, Profile
from agents.services.follows import follow
from posts.models import Community, Post
from tests.factories import make_agent, make_comment, make_community, make_person, make_post

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]


@pytest.fixture(params=[2, 20])
def crowd(request: pytest.FixtureRequest, charlie: Profile) -> list[Post]:
    """Posts by as many agents, all followed by charlie, in one community."""
    room = make_community("garden")
    posts = []
    for number in range(request.param):
        agent = make_agent(owner=make_person(f"owner{number}"), handle=f"bird{number}")
        follow(follower=charlie, author=agent.profile)
        posts.append(make_post(author=agent.profile, community=room, title=f"River {number}"))
    for number in range(request.param):
        make_comment(post=posts[0], author=make_person(f"reader{number}"))
    return posts


@pytest.mark.parametrize(
    ("path", "statements"),
    [
        # The session's user; the posts; what stands around them: what is unread, and agents to follow.
        ("/", 3),
        # The user; the posts; what stands at the side, with what is unread.
        ("/explore", 3),
        # The user; the posts; the people; what is unread.
        ("/search?q=river", 4),
        # The user; the profile with what is unread; its posts.
        ("/@bird0", 3),
        # The user; the community; its posts; what is unread.
        ("/c/garden", 4),
        # The user; the notifications; what is unread.
        ("/notifications", 3),
        ("/updates", 3),
        ("/messages", 3),
        # The user; the post with what is unread; its thread.
        ("/posts/{first}", 3),
    ],
)
def test_a_page_takes_as_many_statements_whatever_its_size(
    path: str, statements: int, crowd: list[Post], charlie: Profile, browser_of: BrowserOf
) -> None:
    client = browser_of(charlie)
    address = path.format(first=crowd[0].pk)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    assert len(queries) == statements, [query["sql"] for query in queries]


def test_a_stranger_sees_the_front_page_and_the_newest_public_posts(browser_of: BrowserOf, wren: Agent) -> None:
    make_post(author=wren.profile, title="For everyone")
    make_post(author=wren.profile, title="For followers", layer=Post.Layer.FOLLOWERS)
    page = browser_of(None).get("/").text
    assert "For everyone" in page and "For followers" not in page
    assert "People who answer for them" in page


def test_explore_has_agents_and_communities_beside_it_for_everybody(
    browser_of: BrowserOf, bob: Profile, wren: Agent
) -> None:
    make_post(author=wren.profile, community=make_community("garden"))
    for viewer, invited in ((None, ""), (bob, 'aria-label="Following @wren"')):
        rail = browser_of(viewer).get("/explore").text.partition('<aside class="rail"')[2]
        assert 'href="/c/garden"' in rail and 'href="/@wren"' in rail and invited in rail


def test_home_shows_what_one_follows_and_says_why(browser_of: BrowserOf, bob: Profile, wren: Agent) -> None:
    make_post(author=wren.profile, title="First frost", layer=Post.Layer.FOLLOWERS)
    make_post(title="By somebody else")
    page = browser_of(bob).get("/").text
    assert "First frost" in page and "By somebody else" not in page
    assert 'Here because you follow <a href="/@wren">@wren</a>' in page
    assert "Followers only" in page


def test_a_post_of_an_agent_carries_the_label_and_its_owner(browser_of: BrowserOf, bob: Profile, wren: Agent) -> None:
    post = make_post(author=wren.profile)
    for path in ("/", "/explore", "/@wren", f"/posts/{post.pk}"):
        page = browser_of(bob).get(path).text
        assert '<span class="ai">AI agent</span> of <a href="/@alice">@alice</a>' in page, path


def test_who_follows_nobody_is_told_where_to_go(browser_of: BrowserOf, charlie: Profile) -> None:
    page = browser_of(charlie).get("/").text
    assert "You follow nobody yet" in page and 'href="/explore"' in page


def test_what_one_may_not_see_is_not_found(browser_of: BrowserOf, charlie: Profile, bob: Profile, wren: Agent) -> None:
    post = make_post(author=wren.profile, layer=Post.Layer.FOLLOWERS)
    assert browser_of(bob).get(f"/posts/{post.pk}").status_code == 200
    assert browser_of(None).get(f"/posts/{post.pk}").status_code == 404
    refused = browser_of(charlie).get(f"/posts/{post.pk}")
    assert refused.status_code == 404
    assert "This perch is empty" in refused.text


def test_the_next_page_goes_on_where_the_first_ended(browser_of: BrowserOf, bob: Profile, wren: Agent) -> None:
    for number in range(22):
        make_post(author=wren.profile, title=f"Number {number:02}")
    client = browser_of(bob)
    first = client.get("/")
    (older,) = re.findall(r'class="more" rel="next" href="([^"]+)"', first.text)
    second = client.get(older)
    titles = re.findall(r"Number \d\d", first.text + second.text)
    assert titles == [f"Number {number:02}" for number in reversed(range(22))]
    part = client.get(older, headers={"HX-Request": "true"}).text
    assert "<html" not in part and "Number 09" in part and "Number 10" not in part


def test_a_cursor_outlives_the_post_that_it_names(browser_of: BrowserOf, bob: Profile, wren: Agent) -> None:
    posts = [make_post(author=wren.profile, title=f"Number {number:02}") for number in range(22)]
    client = browser_of(bob)
    (older,) = re.findall(r'class="more" rel="next" href="([^"]+)"', client.get("/").text)
    Post.objects.filter(pk__in=[posts[10].pk, posts[9].pk]).update(timeline_key=None)
    titles = re.findall(r"Number \d\d", client.get(older).text)
    assert titles == [f"Number {number:02}" for number in reversed(range(9))]


@pytest.mark.parametrize("cursor", ["nonsense", "WzFd:1tXXXX:forged", "\x00", "💥"])
def test_a_forged_cursor_gets_a_page_with_a_way_back(cursor: str, browser_of: BrowserOf, bob: Profile) -> None:
    response = browser_of(bob).get("/", {"cursor": cursor})
    assert response.status_code == 400
    assert "That address no longer works" in response.text


@pytest.mark.parametrize("term", ["\x00", "x" * 201, "a\x00b"])
def test_a_search_that_cannot_be_says_why_and_keeps_what_was_typed(term: str, browser_of: BrowserOf) -> None:
    response = browser_of(None).get("/search", {"q": term})
    assert response.status_code == 400
    assert 'class="notice error"' in response.text


def test_a_search_finds_posts_and_people(browser_of: BrowserOf, wren: Agent) -> None:
    make_post(author=wren.profile, title="A lantern")
    client = browser_of(None)
    assert "A lantern" in client.get("/search?q=lantern").text
    assert "/@wren" in client.get("/search?q=wren").text
    assert "No posts with" in client.get("/search?q=zebra").text
    live = client.get("/search?q=lantern", headers={"HX-Request": "true", "HX-Target": "results"}).text
    assert "A lantern" in live and "<html" not in live


def test_an_empty_community_and_a_silent_profile_have_a_next_step(browser_of: BrowserOf, charlie: Profile) -> None:
    room: Community = make_community("attic")
    for path in (f"/c/{room.name}", "/@charlie"):
        assert "See what others write" in browser_of(None).get(path).text


def test_an_uploaded_picture_stands_beside_what_its_owner_wrote(
    browser_of: BrowserOf, bob: Profile, wren: Agent
) -> None:
    post = make_post(author=wren.profile)
    make_comment(post=post, author=wren.profile)
    assert 'src="/avatars/agent/wren.svg"' in browser_of(bob).get("/").text
    Profile.objects.filter(pk=wren.pk).update(avatar="avatars/wren.png")
    for path in ("/", f"/posts/{post.pk}", "/@wren"):
        assert 'src="/media/avatars/wren.png"' in browser_of(bob).get(path).text, path
