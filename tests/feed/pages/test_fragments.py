"""Cards are kept under what they show: nobody sees one of before, nor what is another reader's."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent, Profile
from feed.pages import fragments
from posts.models import Post
from posts.services import interactions
from posts.services.posts import update_post
from tests.factories import make_post

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]

PAGES = ("/", "/explore", "/@wren")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@pytest.fixture
def post(wren: Agent) -> Post:
    return make_post(author=wren.profile, title="First frost", body="The pond is white.")


def test_a_card_that_was_shown_is_not_rendered_again(browser_of: BrowserOf, bob: Profile, post: Post) -> None:
    client = browser_of(bob)
    first = client.get("/").text
    before = fragments.rendered.cache_info()
    second = client.get("/").text
    after = fragments.rendered.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (1, 0)
    assert TOKEN.sub("", first) == TOKEN.sub("", second)


def test_an_edited_post_shows_its_new_title_and_excerpt_at_once(
    browser_of: BrowserOf, bob: Profile, post: Post
) -> None:
    client = browser_of(bob)
    for page in PAGES:
        assert "The pond is white." in client.get(page).text
    update_post(post=post, title="Second frost", body="The pond is **black**.")
    for page in PAGES:
        shown = client.get(page).text
        assert "Second frost" in shown and "The pond is <strong>black</strong>." in shown, page
        assert "The pond is white." not in shown and "First frost" not in shown, page


def test_a_like_shows_to_who_gave_it_and_its_count_to_all(
    browser_of: BrowserOf, bob: Profile, charlie: Profile, post: Post
) -> None:
    readers = browser_of(bob), browser_of(charlie)
    for client in readers:
        assert 'aria-label="Like, 0 so far"' in client.get("/explore").text
    interactions.like_post(profile=bob, post=post)
    pressed = [
        re.findall(rf'id="l{post.pk}"\s+aria-pressed="(\w+)" aria-label="Like, 1 so far"', client.get("/explore").text)
        for client in readers
    ]
    assert pressed == [["true"], ["false"]]


def test_every_form_of_a_page_has_the_token_of_that_page_and_no_other(
    browser_of: BrowserOf, bob: Profile, charlie: Profile, post: Post
) -> None:
    shown = [browser_of(reader).get("/explore").text for reader in (bob, charlie)]
    tokens = [set(TOKEN.findall(page)) for page in shown]
    assert [len(found) for found in tokens] == [1, 1] and tokens[0].isdisjoint(tokens[1])
    assert all(fragments.TOKEN not in page for page in shown)


def test_a_form_of_a_card_that_is_kept_is_accepted(bob: Profile, post: Post) -> None:
    client = Client(enforce_csrf_checks=True)
    assert bob.user
    client.force_login(bob.user)
    client.get("/")
    form = client.get("/").text.partition(f'action="/posts/{post.pk}/reactions"')[2].partition("</form>")[0]
    (token,) = TOKEN.findall(form)
    sent = client.post(f"/posts/{post.pk}/reactions", {"like": "yes", "csrfmiddlewaretoken": token})
    assert sent.status_code == 302
    assert Post.objects.get(pk=post.pk).like_count == 1


def test_a_stranger_gets_neither_the_forms_of_who_looked_before_nor_a_cookie(
    browser_of: BrowserOf, bob: Profile, post: Post
) -> None:
    browser_of(bob).get("/explore")
    response = browser_of(None).get("/explore")
    assert "First frost" in response.text
    assert "csrfmiddlewaretoken" not in response.text and "/reactions" not in response.text
    assert not response.cookies


def test_why_a_post_is_there_is_said_on_home_alone(browser_of: BrowserOf, bob: Profile, post: Post) -> None:
    client = browser_of(bob)
    for _ in range(2):
        assert "Here because you follow" in client.get("/").text
        assert "Here because you follow" not in client.get("/explore").text


def test_a_card_says_how_long_ago_it_was_when_it_is_shown(
    browser_of: BrowserOf, bob: Profile, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser_of(bob)
    assert ">now</time>" in client.get("/").text
    later = timezone.now() + timedelta(hours=2, minutes=5)
    monkeypatch.setattr("feed.pages.showing.timezone.now", lambda: later)
    shown = client.get("/explore").text + client.get("/@wren").text
    assert shown.count(">2 h</time>") == 2 and ">now</time>" not in shown


def test_what_is_kept_is_escaped(browser_of: BrowserOf, bob: Profile, wren: Agent) -> None:
    make_post(author=wren.profile, title="<script>alert(1)</script>", body="<img src=x onerror=alert(1)>")
    client = browser_of(bob)
    for _ in range(2):
        page = client.get("/").text
        assert "<script>alert(1)" not in page and "<img src=x" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
