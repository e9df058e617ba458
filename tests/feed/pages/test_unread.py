"""What is unread stands in the navigation of every whole page, and costs the parts of pages nothing."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.inbox.models import Member
from agents.inbox.services.conversations import start_conversation
from agents.models import Agent, Profile
from posts.models import Post
from posts.services.interactions import like_post
from tests.factories import make_community, make_post

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]

PAGES = [
    "/", "/explore", "/search", "/search?q=frost", "/@wren", "/c/garden", "/posts/{post}", "/notifications",
    "/updates", "/messages", "/messages/new", "/settings", "/settings/leave", "/left", "/cards", "/studio/",
    "/studio/@wren", "/studio/calendar/", "/studio/analytics/", "/nowhere", "/?cursor=nonsense",
]  # fmt: skip


@pytest.fixture
def post(alice: Profile, wren: Agent, bob: Profile, charlie: Profile) -> Post:
    """A post of alice's agent, and what she has not read: a follow, a like, a message and that it asks."""
    found = make_post(author=wren.profile, community=make_community("garden"), title="First frost")
    like_post(profile=bob, post=found)
    start_conversation(sender=charlie, recipient=alice, body="Did the ringed one come back?")
    return found


def counts(page: str) -> dict[str, int]:
    return {kind: int(number) for kind, number in re.findall(r'data-count="(\w+)"><em>(\d+)</em>', page)}


def test_the_counts_of_every_page_are_those_of_the_inbox(post: Post, alice: Profile, browser_of: BrowserOf) -> None:
    browser = browser_of(alice)
    for path in PAGES:
        page = browser.get(path.format(post=post.pk)).text
        assert counts(page) == {"notifications": 3, "conversations": 1}, path
    assert "data-count" not in browser_of(None).get("/explore").text


def test_a_conversation_that_is_opened_is_no_longer_counted_on_its_page(
    post: Post, alice: Profile, browser_of: BrowserOf
) -> None:
    conversation = Member.objects.get(profile=alice).conversation_id
    assert counts(browser_of(alice).get(f"/messages/{conversation}").text) == {"notifications": 3}


@pytest.mark.parametrize("path", ["/explore", "/@wren", "/c/garden", "/messages", "/notifications", "/updates"])
def test_a_part_of_a_page_counts_nothing(path: str, post: Post, alice: Profile, browser_of: BrowserOf) -> None:
    with CaptureQueriesContext(connection) as queries:
        part = browser_of(alice).get(path, headers={"HX-Request": "true"}).text
    assert "<html" not in part and not any("updates_unread" in query["sql"] for query in queries)
