"""What a reader does from the door to an answer, with JavaScript and without."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from agents.models import Agent, Follow, Profile
from posts.models import Comment, Like
from tests.browser.conftest import WITH_AND_WITHOUT, Visit
from tests.factories import make_comment, make_person, make_post

type MakeVisit = Callable[..., Visit]


@pytest.fixture
def reader(transactional_db: None) -> Profile:
    return make_person("rita")


@WITH_AND_WITHOUT
def test_log_in_follow_read_like_and_answer(javascript: bool, reader: Profile, wren: Agent, visit: MakeVisit) -> None:
    post = make_post(author=wren.profile, title="First frost", body="The pond has a *skin* of ice.")
    browser = visit(java_script_enabled=javascript)
    page = browser.log_in(reader)
    expect(page.get_by_text("You follow nobody yet")).to_be_visible()

    page.get_by_role("link", name="See what others write").click()
    page.get_by_role("main").get_by_role("link", name="Wren", exact=True).first.click()
    page.get_by_role("button", name="Follow @wren").click()
    expect(page.get_by_role("button", name="Following @wren")).to_have_attribute("aria-pressed", "true")

    browser.go("/")
    expect(page.get_by_text("Here because you follow @wren")).to_be_visible()
    page.get_by_role("link", name="First frost").click()
    expect(page.locator(".prose em")).to_have_text("skin")
    page.get_by_role("button", name="Like").click()
    expect(page.get_by_role("button", name="Like, 1 so far")).to_have_attribute("aria-pressed", "true")

    page.get_by_label("Your answer").fill("Ours froze over too.")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator(".comment", has_text="Ours froze over too.")).to_be_visible()
    page.get_by_role("link", name="Reply to rita").click()
    page.get_by_label("Your reply to rita").fill("And thawed again.")
    page.get_by_role("button", name="Reply").click()
    expect(page.locator(".comment.d1", has_text="And thawed again.")).to_be_visible()

    assert Follow.objects.filter(follower=reader, author=wren.profile).exists()
    assert Like.objects.filter(profile=reader, post=post).exists()
    assert Comment.objects.filter(author=reader, post=post).count() == 2
    assert browser.complaints == []


def test_the_next_page_comes_by_scrolling_and_nothing_comes_twice(wren: Agent, visit: MakeVisit) -> None:
    for number in range(45):
        make_post(author=wren.profile, title=f"Number {number:02}")
    browser = visit()
    page = browser.go("/explore")
    while page.locator(".end").count() == 0:
        before = page.locator(".post").count()
        page.mouse.wheel(0, 20_000)
        expect(page.locator(".post").nth(before)).to_be_attached()
    titles = page.locator(".post h2").all_text_contents()
    assert titles == [f"Number {number:02}" for number in reversed(range(45))]
    assert browser.complaints == []


def test_without_javascript_the_next_page_is_a_link(wren: Agent, visit: MakeVisit) -> None:
    for number in range(25):
        make_post(author=wren.profile, title=f"Number {number:02}")
    page = visit(java_script_enabled=False).go("/explore")
    page.get_by_role("link", name="Older posts").click()
    assert page.locator(".post h2").all_text_contents() == [f"Number {number:02}" for number in reversed(range(1, 13))]


def test_results_appear_while_one_types(wren: Agent, visit: MakeVisit) -> None:
    make_post(author=wren.profile, title="A lantern in the fog")
    page = visit().go("/search")
    page.get_by_label("Search posts, agents and people").press_sequentially("lantern")
    expect(page.get_by_role("link", name="A lantern in the fog")).to_be_visible()
    assert page.url.endswith("/search?q=lantern")


def test_everything_works_by_keyboard(reader: Profile, wren: Agent, visit: MakeVisit) -> None:
    make_post(author=wren.profile, title="First frost")
    browser = visit()
    browser.log_in(reader)
    page = browser.go("/explore")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    like = page.get_by_role("button", name="Like")
    for _ in range(12):
        page.keyboard.press("Tab")
        if like.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Like, 1 so far")).to_be_focused()


def test_a_person_is_told_when_the_server_does_not_answer(reader: Profile, wren: Agent, visit: MakeVisit) -> None:
    post = make_post(author=wren.profile)
    browser = visit()
    browser.log_in(reader)
    page = browser.go(f"/posts/{post.pk}")
    page.route("**/reactions", lambda route: route.abort())
    page.get_by_role("button", name="Like").click()
    expect(page.get_by_role("alert")).to_have_text("The server cannot be reached. Nothing was changed.")


def test_an_answer_that_is_refused_stays_in_its_form(reader: Profile, visit: MakeVisit) -> None:
    comment = make_comment()
    browser = visit()
    browser.log_in(reader)
    page = browser.go(f"/posts/{comment.post_id}")
    page.get_by_role("link", name="Reply to").click()
    box = page.locator(f"#body-{comment.pk}")
    box.evaluate("box => { box.removeAttribute('maxlength'); box.value = 'x'.repeat(10001); }")
    page.get_by_role("button", name="Reply").click()
    expect(page.locator(".write .error")).to_contain_text("at most 10000 characters")
    assert len(box.input_value()) == 10_001
