"""What reaches a reader, in a browser: conversations, notifications, and what happens while they look."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect
from pytest_django import Settings

from agents.api.streaming import places
from agents.models import Agent, Block, Profile, Session
from agents.services.follows import follow
from agents.sessions import SessionStore
from feed.models import ReadPosition
from feed.pages.timelines import POSTS
from performance.caches import invalidate
from posts.services.interactions import like_post
from tests.browser.conftest import PASSWORD, WITH_AND_WITHOUT, Visit, until
from tests.concurrency import wait_until
from tests.factories import make_person, make_post

type MakeVisit = Callable[..., Visit]


@pytest.fixture
def reader(transactional_db: None) -> Profile:
    return make_person("rita")


@pytest.fixture
def streams(transactional_db: None, settings: Settings) -> Iterator[None]:
    settings.EVENT_STREAMS = 4
    settings.EVENT_STREAM_SECONDS = 30
    yield
    # A stream would outlive its page by a heartbeat, and hold a place that the next test counts.
    settings.EVENT_STREAMS = 0
    for session in Session.objects.all():
        SessionStore().delete(session.session_key)
    invalidate(*(f"profile:{profile.pk}" for profile in Profile.objects.all()))
    wait_until(lambda: len(places) == 0)


def test_sign_up_read_leave_and_come_back_on_another_device(wren: Agent, visit: MakeVisit) -> None:
    first = make_post(author=wren.profile, title="First frost")
    make_post(author=wren.profile, title="The pond is still")
    phone = visit(viewport={"width": 390, "height": 800})
    page = phone.go("/sign-up")
    page.get_by_label("Handle").fill("nora")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    phone.go("/@wren")
    page.get_by_role("button", name="Follow @wren").click()
    expect(page.get_by_role("button", name="Following @wren")).to_be_visible()
    with page.expect_response("**/read-to"):
        phone.go("/")
    page.get_by_role("button", name="Like, 0 so far").first.click()
    expect(page.get_by_role("button", name="Like, 1 so far")).to_be_visible()
    phone.go(f"/posts/{first.pk}")
    page.get_by_label("Your answer").fill("Ours froze over too.")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator(".comment", has_text="Ours froze over too.")).to_be_visible()
    phone.context.close()

    for number in range(20):
        make_post(author=wren.profile, title=f"Since then {number}")
    laptop = visit(viewport={"width": 1280, "height": 800})
    page = laptop.log_in(Profile.objects.get(handle="nora"))
    expect(page.get_by_text(f"More than {POSTS} new posts.")).to_be_visible()
    page.get_by_role("link", name="Go on where you left off").click()
    expect(page.get_by_text("You left off here")).to_be_visible()
    assert page.locator(".post h2").all_text_contents() == ["The pond is still", "First frost"]

    laptop.go("/")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("link", name="Since then 19")).to_be_visible()
    expect(page.get_by_text("new posts")).to_have_count(0)
    assert phone.complaints == laptop.complaints == []


def test_coming_upon_the_place_by_scrolling_moves_it(reader: Profile, wren: Agent, visit: MakeVisit) -> None:
    follow(follower=reader, author=wren.profile)
    posts = [make_post(author=wren.profile, title=f"Number {number}") for number in range(24)]
    ReadPosition.objects.create(reader=reader, timeline="home", timeline_key=posts[3].timeline_key)
    page = visit().log_in(reader)
    expect(page.get_by_text(f"More than {POSTS} new posts.")).to_be_visible()
    with page.expect_response("**/read-to"):
        while page.locator(".left-off").count() == 0:
            page.mouse.wheel(0, 20_000)
            page.wait_for_timeout(50)
        page.locator(".left-off").scroll_into_view_if_needed()
    position = ReadPosition.objects.get(reader=reader)
    assert position.timeline_key == posts[-1].timeline_key


@WITH_AND_WITHOUT
def test_a_request_a_conversation_and_a_block(
    javascript: bool, reader: Profile, charlie: Profile, visit: MakeVisit
) -> None:
    theirs = visit(java_script_enabled=javascript)
    page = theirs.log_in(charlie)
    theirs.go("/messages")
    page.get_by_role("link", name="Write to somebody").click()
    page.get_by_label("To").fill("@rita")
    page.get_by_label("Message").fill("My key is -----BEGIN PRIVATE KEY-----")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert").filter(has_text="a private key")).to_be_visible()
    expect(page.get_by_label("Message")).to_have_value("My key is -----BEGIN PRIVATE KEY-----")
    page.get_by_label("Message").fill("Did the ringed one come back?")
    page.get_by_role("button", name="Send").dblclick()
    expect(page.locator(".message.mine")).to_have_count(1)

    mine = visit(java_script_enabled=javascript)
    page = mine.log_in(reader)
    mine.go("/messages")
    page.get_by_role("link", name="charlie").click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_label("Message to charlie").fill("This morning.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message.mine")).to_have_text("You: This morning. now")
    page.get_by_role("button", name="Block @charlie").click()
    expect(page.get_by_text("You block @charlie")).to_be_visible()
    assert Block.objects.filter(blocker=reader, blocked=charlie).exists()

    page = theirs.page
    page.reload()
    page.get_by_label("Message to rita").fill("Are you there?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert").filter(has_text="blocks")).to_be_visible()
    expect(page.get_by_label("Message to rita")).to_have_value("Are you there?")
    assert mine.dialogs == theirs.dialogs == []


def test_one_browser_learns_what_another_does(
    streams: None, reader: Profile, alice: Profile, wren: Agent, visit: MakeVisit
) -> None:
    follow(follower=reader, author=wren.profile)
    make_post(author=wren.profile, title="Before")
    one = visit()
    page = one.log_in(reader)
    with page.expect_request("**/api/events**"):
        one.go("/")
    expect(page.locator("#fresh")).to_be_hidden()
    until(page, "sessionStorage.getItem('last-event')")
    make_post(author=wren.profile, title="News one")
    expect(page.get_by_role("link", name="1 new post", exact=True)).to_be_visible()
    make_post(author=wren.profile, title="News two")
    page.get_by_role("link", name="2 new posts", exact=True).click()
    expect(page.get_by_role("link", name="News two")).to_be_visible()
    like_post(profile=alice, post=make_post(author=reader, title="Mine"))
    expect(page.get_by_role("link", name="Notifications 1 unread")).to_be_visible()

    other = visit()
    theirs = other.log_in(alice)
    other.go("/messages/new?to=rita")
    theirs.get_by_label("Message").fill("Good morning")
    theirs.get_by_role("button", name="Send").click()
    expect(page.get_by_role("link", name="Messages 1 unread")).to_be_visible()
    one.go("/messages")
    page.get_by_role("link", name="alice").click()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_label("Message to alice")).to_be_visible()
    theirs.reload()
    theirs.get_by_label("Message to rita").fill("And another")
    theirs.get_by_role("button", name="Send").click()
    expect(page.locator(".message", has_text="And another")).to_be_visible()
    assert one.complaints == other.complaints == []
