"""What readers do on the pages, with and without JavaScript."""

from collections.abc import Callable
from urllib.parse import unquote

import pytest
from django.test import Client

from agents.models import Agent, Follow, Profile
from posts.models import Comment, Like, Post, Share
from tests.factories import make_comment, make_post
from tests.feed.pages.forms import token_in

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def post(wren: Agent) -> Post:
    return make_post(author=wren.profile)


def test_a_like_goes_back_to_where_it_was_given(browser_of: BrowserOf, bob: Profile, post: Post) -> None:
    response = browser_of(bob).post(
        f"/posts/{post.pk}/reactions", {"like": "yes"}, headers={"Referer": "http://testserver/explore"}
    )
    assert response.status_code == 302
    assert response["Location"] == f"http://testserver/explore#post-{post.pk}"
    assert Like.objects.filter(profile=bob, post=post).exists()


def test_nobody_is_sent_to_another_site(browser_of: BrowserOf, bob: Profile, post: Post) -> None:
    response = browser_of(bob).post(
        f"/posts/{post.pk}/reactions", {"like": "yes"}, headers={"Referer": "http://evil.example/"}
    )
    assert response["Location"] == f"/posts/{post.pk}#post-{post.pk}"


@pytest.mark.parametrize(("name", "model"), [("like", Like), ("share", Share)])
def test_pressing_twice_is_pressing_once_and_can_be_taken_back(
    name: str, model: type[Like | Share], browser_of: BrowserOf, bob: Profile, post: Post
) -> None:
    client = browser_of(bob)
    for _ in range(2):
        part = client.post(f"/posts/{post.pk}/reactions", {name: "yes"}, headers=HTMX).text
        assert 'aria-pressed="true"' in part and "<html" not in part
    assert model.objects.count() == 1
    part = client.post(f"/posts/{post.pk}/reactions", {name: "no"}, headers=HTMX).text
    assert 'aria-pressed="true"' not in part
    assert model.objects.count() == 0


def test_a_stranger_is_sent_to_the_log_in_and_back(browser_of: BrowserOf, post: Post) -> None:
    client = browser_of(None)
    plain = client.post(
        f"/posts/{post.pk}/reactions", {"like": "yes"}, headers={"Referer": f"http://testserver/posts/{post.pk}"}
    )
    assert plain["Location"].startswith("/log-in?next=")
    assert client.post(f"/posts/{post.pk}/reactions", {"like": "yes"}, headers=HTMX)["HX-Redirect"]
    assert not Like.objects.exists()


def test_following_and_unfollowing(browser_of: BrowserOf, charlie: Profile, wren: Agent) -> None:
    client = browser_of(charlie)
    assert client.post("/@wren/follow", {"follow": "yes"})["Location"] == "/@wren"
    assert Follow.objects.filter(follower=charlie, author=wren.profile).exists()
    assert "Following" in client.get("/@wren").text
    assert 'aria-pressed="false"' in client.post("/@wren/follow", {"follow": "no"}, headers=HTMX).text
    assert client.post("/@charlie/follow", {"follow": "yes"}).status_code == 302
    assert not Follow.objects.filter(follower=charlie).exists()


def test_a_comment_and_a_reply_join_the_thread(browser_of: BrowserOf, bob: Profile, post: Post) -> None:
    client = browser_of(bob)
    response = client.post(f"/posts/{post.pk}/comments", {"body": "Ours froze over too."})
    comment = Comment.objects.get()
    assert response["Location"] == f"/posts/{post.pk}#comment-{comment.pk}"
    part = client.post(f"/posts/{post.pk}/comments/{comment.pk}/reply", {"body": "Still *is*."}, headers=HTMX).text
    assert "Still <em>is</em>." in part and "<html" not in part
    page = client.get(f"/posts/{post.pk}").text
    assert page.index("Ours froze over too.") < page.index("Still <em>is</em>.")
    assert "2 answers" in page


def test_an_answer_sent_twice_is_one_and_another_text_is_not_lost(
    browser_of: BrowserOf, bob: Profile, post: Post
) -> None:
    client, address = browser_of(bob), f"/posts/{post.pk}/comments"
    form = {"body": "Once.", "once": token_in(client.get(f"/posts/{post.pk}").text)}
    # A second click, the button after going back, and the try after an answer that was lost.
    assert len({client.post(address, form)["Location"] for _ in range(2)}) == 1
    assert f'id="comment-{Comment.objects.get().pk}"' in client.post(address, form, headers=HTMX).text
    changed = client.post(address, form | {"body": "Another."})
    assert changed.status_code == 422 and "Another." in changed.text and "sent already" in changed.text
    client.post(address, {"body": "Another.", "once": token_in(changed.text)})
    assert set(Comment.objects.values_list("body", flat=True)) == {"Once.", "Another."}


@pytest.mark.parametrize("body", ["", "   ", "x" * 10_001, "a\x00b"])
def test_a_comment_that_is_refused_keeps_what_was_typed(
    body: str, browser_of: BrowserOf, bob: Profile, post: Post
) -> None:
    client = browser_of(bob)
    for headers in ({}, HTMX):
        response = client.post(f"/posts/{post.pk}/comments", {"body": body}, headers=headers)
        assert response.status_code == 422
        assert 'role="alert"' in response.text
        assert body.replace("\x00", "") in response.text.replace("\x00", "")
    assert not Comment.objects.exists()


def test_an_answer_typed_when_the_session_had_ended_waits_until_after_the_log_in(
    browser_of: BrowserOf, charlie: Profile, post: Post
) -> None:
    assert charlie.user
    charlie.user.set_password("a long enough one")
    charlie.user.save()
    client = browser_of(None)
    parent = make_comment(post=post)
    address = f"/posts/{post.pk}/comments/{parent.pk}/reply"
    door = client.post(address, {"body": "A thought of <three> lines"})["Location"]
    back = client.post(
        "/log-in", {"username": "charlie", "password": "a long enough one", "next": unquote(door.partition("next=")[2])}
    )
    assert back["Location"] == address
    assert "A thought of &lt;three&gt; lines" in client.get(address).text
    assert "A thought of" not in client.get(address).text


def test_only_who_may_removes_an_answer(browser_of: BrowserOf, bob: Profile, charlie: Profile, post: Post) -> None:
    comment = make_comment(post=post, author=bob)
    assert browser_of(charlie).post(f"/comments/{comment.pk}/remove").status_code == 403
    assert browser_of(bob).post(f"/comments/{comment.pk}/remove").status_code == 302
    assert "This answer was removed." in browser_of(None).get(f"/posts/{post.pk}").text


def test_a_form_from_another_site_changes_nothing(bob: Profile, post: Post) -> None:
    client = Client(enforce_csrf_checks=True)
    assert bob.user
    client.force_login(bob.user)
    refused = client.post(f"/posts/{post.pk}/reactions", {"like": "yes"})
    assert refused.status_code == 403
    assert "Please send that again" in refused.text
    assert not Like.objects.exists()
