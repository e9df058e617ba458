"""The back button: what is shown is right, nothing that was typed is lost, and nothing is done twice."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from agents.inbox.models import Message
from agents.models import Agent, Profile
from agents.services.follows import follow
from posts.models import Comment, Like, Post
from tests.browser.conftest import WITH_AND_WITHOUT, Visit
from tests.concurrency import wait_until
from tests.factories import make_person, make_post

type MakeVisit = Callable[..., Visit]


@pytest.fixture
def reader(wren: Agent, transactional_db: None) -> Profile:
    rita = make_person("rita")
    follow(follower=rita, author=wren.profile)
    return rita


@pytest.fixture
def post(wren: Agent, reader: Profile) -> Post:
    return make_post(author=wren.profile, title="First frost")


@WITH_AND_WITHOUT
def test_a_like_is_shown_where_one_goes_back_to(
    javascript: bool, reader: Profile, post: Post, visit: MakeVisit
) -> None:
    browser = visit(java_script_enabled=javascript)
    browser.enter(reader)
    page = browser.go("/")
    page.get_by_role("link", name="First frost").click()
    page.get_by_role("button", name="Like, 0 so far").click()
    liked = page.get_by_role("button", name="Like, 1 so far")
    expect(liked).to_have_attribute("aria-pressed", "true")
    # Without a script the button leads to a page of its own, and back from there.
    for _ in range(1 if javascript else 2):
        page.go_back()
    expect(page).to_have_url(f"{browser.server.url}/")
    expect(liked).to_have_attribute("aria-pressed", "true")
    assert Like.objects.count() == 1
    page.go_forward()
    expect(liked).to_have_attribute("aria-pressed", "true")
    assert Like.objects.count() == 1
    assert browser.complaints == []


def test_a_form_that_was_sent_is_not_sent_again(reader: Profile, charlie: Profile, visit: MakeVisit) -> None:
    follow(follower=charlie, author=reader)
    browser = visit()
    browser.enter(reader)
    page = browser.go("/messages/new")
    page.get_by_label("To").fill("charlie")
    page.get_by_label("Message").fill("Did the ringed one come back?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message.mine")).to_have_count(1)
    page.go_back()
    expect(page.get_by_role("heading", name="New message")).to_be_visible()
    # What the browser fills in again is what was sent: pressing the button is no second message.
    expect(page.get_by_label("Message")).to_have_value("Did the ringed one come back?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message.mine")).to_have_count(1)
    assert Message.objects.count() == 1

    page.go_back()
    page.get_by_label("Message").fill("And the other one?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("Send it again if you mean both")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message.mine")).to_have_count(2)


@WITH_AND_WITHOUT
def test_an_answer_is_there_once_after_going_back(
    javascript: bool, reader: Profile, post: Post, visit: MakeVisit
) -> None:
    browser = visit(java_script_enabled=javascript)
    browser.enter(reader)
    page = browser.go(f"/posts/{post.pk}")
    page.get_by_label("Your answer").fill("Ours froze over too.")
    page.get_by_role("button", name="Answer").click()
    answer = page.locator(".comment", has_text="Ours froze over too.")
    expect(answer).to_have_count(1)
    browser.go("/explore")
    page.go_back()
    expect(answer).to_have_count(1)
    expect(page.get_by_label("Your answer")).to_have_value("")
    assert Comment.objects.count() == 1


@WITH_AND_WITHOUT
def test_what_was_typed_and_not_sent_is_still_there(
    javascript: bool, reader: Profile, post: Post, visit: MakeVisit
) -> None:
    browser = visit(java_script_enabled=javascript)
    browser.enter(reader)
    page = browser.go(f"/posts/{post.pk}")
    page.get_by_label("Your answer").fill("Ours froze over too.")
    page.get_by_role("link", name="Explore").click()
    page.wait_for_url("**/explore")
    page.go_back()
    expect(page.get_by_label("Your answer")).to_have_value("Ours froze over too.")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator(".comment", has_text="Ours froze over too.")).to_have_count(1)
    assert Comment.objects.count() == 1


def test_after_endless_scroll_one_comes_back_to_the_same_post(reader: Profile, wren: Agent, visit: MakeVisit) -> None:
    for number in range(60):
        make_post(author=wren.profile, title=f"Number {number:02}", body="A line. " * 40)
    browser = visit(viewport={"width": 1280, "height": 800})
    browser.enter(reader)
    page = browser.go("/")
    while page.locator(".post").count() < 40:
        page.mouse.wheel(0, 2_000)
        page.wait_for_timeout(30)
    link = page.get_by_role("link", name="Number 25")
    link.focus()
    top = top_of(page, "Number 25")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Like").click()
    expect(page.get_by_role("button", name="Like, 1 so far")).to_be_visible()
    make_post(author=wren.profile, title="Written meanwhile")
    page.go_back()
    expect(page.get_by_role("link", name="Number 25")).to_be_in_viewport()
    wait_until(lambda: abs(top_of(page, "Number 25") - top) < 30)
    expect(page.locator(".post", has_text="Number 25").get_by_role("button", name="Like, 1 so far")).to_be_visible()
    titles = page.locator(".post h2").all_text_contents()
    assert titles[0] == "Written meanwhile"
    assert titles[1:] == [f"Number {number:02}" for number in range(59, 60 - len(titles), -1)]
    assert browser.complaints == []


def test_going_back_from_a_search_result_shows_the_search_again(reader: Profile, post: Post, visit: MakeVisit) -> None:
    browser = visit()
    browser.enter(reader)
    page = browser.go("/search")
    page.get_by_label("Search posts, agents and people").press_sequentially("frost")
    page.get_by_role("link", name="First frost").click()
    expect(page.locator(".whole")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Search posts, agents and people")).to_have_value("frost")
    expect(page.get_by_role("link", name="First frost")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="What are you listening for?")).to_be_visible()
    expect(page.get_by_label("Search posts, agents and people")).to_have_value("")


def test_who_has_logged_out_shows_nothing_by_going_back(reader: Profile, post: Post, visit: MakeVisit) -> None:
    browser = visit()
    browser.enter(reader)
    page = browser.go("/messages")
    browser.go("/")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()
    expect(page.get_by_text("@rita")).to_have_count(0)


def top_of(page: Page, title: str) -> float:
    box = page.get_by_role("link", name=title).bounding_box()
    assert box
    return box["y"]
