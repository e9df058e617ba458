"""Notifications, updates and messages as pages, and where the reader left off."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.inbox.models import Conversation, Member, Message
from agents.inbox.services.conversations import send_message, start_conversation
from agents.models import Agent, Block, Notification, Profile
from agents.services.follows import follow
from feed.models import ReadPosition, UpdateRead
from feed.pages.timelines import POSTS
from posts.services.interactions import like_post
from tests.concurrency import run_together
from tests.factories import make_key, make_person, make_post
from tests.feed.pages.forms import token_in

type BrowserOf = Callable[[Profile | None], Client]

SECRET = "Here: -----BEGIN RSA PRIVATE KEY----- and more"


def write_to(recipient: Profile, sender: Profile, body: str = "Did the ringed one come back?") -> Conversation:
    return start_conversation(sender=sender, recipient=recipient, body=body)[0]


@pytest.mark.parametrize("path", ["/notifications", "/updates", "/messages", "/messages/new", "/messages/1"])
def test_a_stranger_logs_in_first_and_comes_back(browser_of: BrowserOf, path: str) -> None:
    assert browser_of(None).get(path)["Location"] == f"/log-in?next={quote(path, safe='')}"


def test_a_notification_leads_to_what_it_is_about(
    browser_of: BrowserOf, alice: Profile, wren: Agent, bob: Profile
) -> None:
    post = make_post(author=wren.profile, title="First frost")
    like_post(profile=bob, post=post)
    page = browser_of(alice).get("/notifications").text
    assert f'<a href="/posts/{post.pk}" dir="auto">@bob likes “First frost”</a>' in page
    assert "1 unread" not in page and "2 unread" in page, "A follow and a like."


def test_what_came_after_the_page_was_shown_stays_unread(browser_of: BrowserOf, alice: Profile, bob: Profile) -> None:
    newest = Notification.objects.filter(profile=alice).latest("pk")
    like_post(profile=bob, post=make_post(author=alice))
    browser = browser_of(alice)
    assert browser.post("/notifications/read", {"up_to": newest.pk})["Location"] == "/notifications"
    assert Notification.objects.filter(profile=alice, read_at=None).count() == 1
    browser.post("/notifications/read", {"only": Notification.objects.filter(profile=alice).latest("pk").pk})
    assert not Notification.objects.filter(profile=alice, read_at=None).exists()
    assert "unread</p>" not in browser.get("/notifications").text


@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 30, "٣", "\x00"])
def test_a_number_that_is_none_marks_nothing(browser_of: BrowserOf, alice: Profile, bob: Profile, value: str) -> None:
    for path in ("/notifications/read", "/updates/read"):
        for name in ("up_to", "only"):
            assert browser_of(alice).post(path, {name: value}).status_code == 302
    assert Notification.objects.filter(profile=alice, read_at=None).exists()


def test_ten_thousand_notifications_are_read_page_by_page(browser_of: BrowserOf, charlie: Profile) -> None:
    Notification.objects.bulk_create(
        Notification(profile=charlie, kind="review", text=f"Notice {number}", key=str(number))
        for number in range(10_000)
    )
    browser = browser_of(charlie)
    with CaptureQueriesContext(connection) as queries:
        page = browser.get("/notifications").text
    assert len(queries) == 3 and len(page) < 45_000
    assert "Notice 9999" in page and "Notice 9979" not in page and "More than 99 unread" in page
    older = re.search(r'href="(/notifications\?cursor=[^"]+)"', page)
    assert older and "Notice 9979" in browser.get(older[1]).text


def test_an_update_is_new_until_it_is_marked(browser_of: BrowserOf, bob: Profile, wren: Agent) -> None:
    update = make_post(author=wren.profile, kind="update", title="Counting swifts")
    browser = browser_of(bob)
    assert "1 unread" in browser.get("/updates").text
    browser.post("/updates/read", {"up_to": update.pk})
    assert UpdateRead.objects.get() and "1 unread" not in browser.get("/updates").text


def test_an_empty_inbox_says_what_to_do_next(browser_of: BrowserOf, charlie: Profile) -> None:
    for path, step in [
        ("/notifications", "Find somebody to follow"),
        ("/messages", "Write to somebody"),
        ("/updates", "Find agents to follow"),
    ]:
        assert step in browser_of(charlie).get(path).text


def test_a_request_is_accepted_and_answered(browser_of: BrowserOf, alice: Profile, charlie: Profile) -> None:
    conversation = write_to(alice, charlie)
    browser, path = browser_of(alice), f"/messages/{conversation.pk}"
    assert "Would like to write to you" in browser.get("/messages").text
    page = browser.get(path).text
    assert "Did the ringed one come back?" in page and "<textarea" not in page
    for _ in range(2):
        assert browser.post(f"{path}/accept")["Location"] == path
    assert "<textarea" in browser.get(path).text
    assert browser.post(f"{path}/send", {"body": "This morning."})["Location"] == f"{path}#write"
    assert "This morning." in browser_of(charlie).get(path).text


def test_a_request_is_declined_for_good(browser_of: BrowserOf, alice: Profile, charlie: Profile) -> None:
    path = f"/messages/{write_to(alice, charlie).pk}"
    assert browser_of(alice).post(f"{path}/decline")["Location"] == "/messages"
    assert not Conversation.objects.exists()
    assert browser_of(alice).post(f"{path}/decline").status_code == 404


def test_what_was_accepted_is_not_declined(browser_of: BrowserOf, alice: Profile, bob: Profile) -> None:
    follow(follower=alice, author=bob)
    conversation = write_to(alice, bob)
    browser_of(alice).post(f"/messages/{conversation.pk}/decline")
    assert Conversation.objects.exists()


def test_looking_at_a_conversation_reads_it(browser_of: BrowserOf, alice: Profile, charlie: Profile) -> None:
    conversation = write_to(alice, charlie)
    member = Member.objects.filter(conversation=conversation, profile=alice)
    browser_of(alice).head(f"/messages/{conversation.pk}")
    assert member.get().unread_count == 1
    browser_of(alice).get(f"/messages/{conversation.pk}")
    assert member.get().unread_count == 0


def test_a_conversation_of_others_does_not_exist(
    browser_of: BrowserOf, alice: Profile, bob: Profile, charlie: Profile
) -> None:
    path = f"/messages/{write_to(alice, charlie).pk}"
    assert browser_of(bob).get(path).status_code == 404
    for action in ("send", "accept", "decline", "mute", "block"):
        assert browser_of(bob).post(f"{path}/{action}", {"body": "x"}).status_code == 404
    assert browser_of(alice).post(f"{path}/nonsense").status_code == 404


def test_block_and_unblock_mute_and_unmute(browser_of: BrowserOf, alice: Profile, charlie: Profile) -> None:
    path = f"/messages/{write_to(alice, charlie).pk}"
    browser = browser_of(alice)
    for _ in range(2):
        browser.post(f"{path}/block")
    assert Block.objects.filter(blocker=alice, blocked=charlie).exists()
    assert "You block @charlie" in browser.get(path).text
    browser.post(f"{path}/unblock")
    browser.post(f"{path}/mute")
    page = browser.get(path).text
    assert "You block" not in page and "Unmute" in page


@pytest.mark.parametrize("body", [SECRET, "", "x" * 10_001])
def test_a_message_that_is_refused_stays_in_its_form(
    browser_of: BrowserOf, alice: Profile, charlie: Profile, body: str
) -> None:
    conversation = write_to(alice, charlie)
    browser = browser_of(alice)
    browser.post(f"/messages/{conversation.pk}/accept")
    for path, more in [(f"/messages/{conversation.pk}/send", {}), ("/messages/new", {"to": "charlie"})]:
        response = browser.post(path, {"body": body, **more})
        assert response.status_code == 422
        assert 'role="alert"' in response.text and body in response.text
    assert Message.objects.count() == 1


def test_a_secret_is_named_but_never_stored(browser_of: BrowserOf, alice: Profile, charlie: Profile) -> None:
    response = browser_of(alice).post("/messages/new", {"to": "charlie", "body": make_key(alice)})
    assert "This holds an API key of this house" in response.text
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("to", "reason"), [("nobody", "Nobody has this handle"), ("alice", "to oneself"), ("a b", "Use 1 to 40")]
)
def test_a_first_message_needs_somebody(browser_of: BrowserOf, alice: Profile, to: str, reason: str) -> None:
    response = browser_of(alice).post("/messages/new", {"to": to, "body": "Good morning"})
    assert response.status_code == 422 and reason in response.text and "Good morning" in response.text


def test_a_form_sent_twice_writes_one_message(browser_of: BrowserOf, alice: Profile, charlie: Profile) -> None:
    browser = browser_of(alice)
    form = {"to": "@charlie", "body": "Good morning", "once": token_in(browser.get("/messages/new").text)}
    assert len({browser.post("/messages/new", form)["Location"] for _ in range(3)}) == 1
    path = f"/messages/{Conversation.objects.get().pk}"
    browser_of(charlie).post(f"{path}/accept")
    form = {"body": "And again", "once": token_in(browser.get(path).text)}
    for _ in range(3):
        assert browser.post(f"{path}/send", form).status_code == 302
    changed = browser.post(f"{path}/send", form | {"body": "And another"})
    assert changed.status_code == 422 and "And another" in changed.text and "sent already" in changed.text
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_double_click_writes_one_message(browser_of: BrowserOf, alice: Profile, charlie: Profile) -> None:
    conversation = write_to(alice, charlie)
    browser_of(alice).post(f"/messages/{conversation.pk}/accept")
    browsers = [browser_of(alice) for _ in range(4)]
    answers = run_together(
        4, lambda number: browsers[number].post(f"/messages/{conversation.pk}/send", {"body": "Yes", "once": "same"})
    )
    assert {answer.status_code for answer in answers} == {302}
    assert Message.objects.count() == 2


def test_what_was_typed_waits_until_after_the_log_in(browser_of: BrowserOf, alice: Profile, charlie: Profile) -> None:
    conversation = write_to(alice, charlie)
    browser = browser_of(None)
    sent = browser.post(f"/messages/{conversation.pk}/send", {"body": "Half a thought"})
    assert sent["Location"] == f"/log-in?next=%2Fmessages%2F{conversation.pk}"
    browser.post("/messages/new", {"to": "alice", "body": "A whole one"})
    assert charlie.user
    charlie.user.set_password("a long enough one")
    charlie.user.save()
    browser.post("/log-in", {"username": "charlie", "password": "a long enough one", "next": "/messages/new"})
    first = browser.get("/messages/new").text
    assert "A whole one" in first and 'value="alice"' in first
    assert "Half a thought" in browser.get(f"/messages/{conversation.pk}").text
    assert "Half a thought" not in browser.get(f"/messages/{conversation.pk}").text


def test_what_a_stranger_typed_is_not_told_to_the_next(browser_of: BrowserOf, alice: Profile) -> None:
    browser = browser_of(None)
    browser.post("/messages/new", {"to": "alice", "body": "Private thought"})
    assert "Private thought" not in browser.get("/messages/new", follow=True).text


@pytest.mark.parametrize("number", [2, 20])
def test_a_conversation_takes_the_same_statements_at_any_size(
    browser_of: BrowserOf, alice: Profile, bob: Profile, number: int
) -> None:
    follow(follower=alice, author=bob)
    conversation = write_to(alice, bob)
    for _ in range(number):
        send_message(conversation=conversation, sender=bob, body="Once more")
        write_to(alice, make_person())
    browser = browser_of(alice)
    browser.get(f"/messages/{conversation.pk}")
    with CaptureQueriesContext(connection) as queries:
        browser.get(f"/messages/{conversation.pk}")
    # The user; the member; the messages; whether the other one is blocked; what is unread.
    assert len(queries) == 5, [query["sql"] for query in queries]
    with CaptureQueriesContext(connection) as queries:
        browser.get("/messages")
    assert len(queries) == 3


def test_home_shows_where_one_left_off(browser_of: BrowserOf, bob: Profile, wren: Agent) -> None:
    seen = [make_post(author=wren.profile, title=f"Seen {number}") for number in range(2)]
    browser = browser_of(bob)
    first = browser.get("/").text
    assert 'id="read-to"' in first and "left off here" not in first and "where you" not in first
    assert browser.post("/read-to", {"post": seen[1].pk})["Location"] == "/"
    assert 'id="read-to"' not in browser.get("/").text
    for number in range(3):
        make_post(author=wren.profile, title=f"New {number}")
    page = browser.get("/").text
    assert "3 new posts" in page
    assert page.index("New 0") < page.index("You left off here") < page.index("Seen 1")


def test_the_way_back_to_a_place_below_the_first_page(browser_of: BrowserOf, bob: Profile, wren: Agent) -> None:
    seen = make_post(author=wren.profile, title="Seen")
    browser = browser_of(bob)
    assert browser.post("/read-to", {"post": seen.pk}, headers={"HX-Request": "true"}).status_code == 204
    for number in range(POSTS + 2):
        make_post(author=wren.profile, title=f"New {number}")
    page = browser.get("/").text
    assert f"More than {POSTS} new posts" in page and "You left off here" not in page
    resume = re.search(r'href="(/\?cursor=[^"]+)">Go on', page)
    assert resume
    there = browser.get(resume[1]).text
    assert there.index("You left off here") < there.index("Seen") and "New 0" not in there
    # By scrolling one comes upon it too.
    older = re.search(r'hx-get="(/\?cursor=[^"]+)"', page)
    assert older
    part = browser.get(older[1], headers={"HX-Request": "true"}).text
    assert part.index("New 0") < part.index("You left off here") < part.index("Seen")


@pytest.mark.parametrize("value", ["", "x", "-4", "9" * 30, "٣"])
def test_a_post_that_is_none_moves_nothing(browser_of: BrowserOf, bob: Profile, value: str) -> None:
    assert browser_of(bob).post("/read-to", {"post": value}).status_code == 302
    assert not ReadPosition.objects.exists()
