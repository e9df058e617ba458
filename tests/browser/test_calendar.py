"""The calendar in a browser: from a new agent to a post on a network, by mouse, by keyboard and without a script."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from agents.models import Agent, Profile
from posts.generation import poking
from posts.generation.models import Run
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.services.publications import move
from posts.publishing.states import Status
from tests.browser.conftest import WITH_AND_WITHOUT, Visit
from tests.browser.test_studio import carry
from tests.factories import make_reading
from tests.feed.pages.studio.calendar.conftest import may
from tests.networks.speakers import MastodonSpeaker
from tests.posts.publishing.conftest import account_on, impatient, mastodon, networks  # noqa: F401
from tests.publishing import make_account, make_publication, publish_all

type MakeVisit = Callable[..., Visit]


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings) -> None:
    monkeypatch.setattr(poking, "send", lambda run_id: True)
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def account(alice: Profile) -> SocialAccount:
    return make_account(owner=alice, handle="@wren@birds.example")


def drag(page: Page, text: str, day: str) -> None:
    """Drag the entry with a text to a day, as a hand does: down, on the way, up."""
    entry = page.locator(".entry", has_text=text)
    entry.scroll_into_view_if_needed()
    begin, target = entry.bounding_box(), page.locator(f"td[data-day='{day}']").bounding_box()
    assert begin and target
    page.mouse.move(begin["x"] + 20, begin["y"] + 8)
    page.mouse.down()
    page.mouse.move(begin["x"] + 40, begin["y"] + 30, steps=4)
    page.mouse.move(target["x"] + target["width"] / 2, target["y"] + target["height"] - 10, steps=6)
    expect(page.locator(".ghost")).to_be_visible()
    page.mouse.up()


def test_from_a_new_agent_to_a_post_on_a_network(
    alice: Profile,
    account: SocialAccount,
    mastodon: MastodonSpeaker,  # noqa: F811
    visit: MakeVisit,
) -> None:
    browser = visit(viewport={"width": 1440, "height": 1400})
    page = browser.log_in(alice)
    browser.go("/studio/new")
    page.get_by_label("Handle").fill("dunnock")
    page.get_by_role("button", name="Create, then give it a persona").click()
    page.get_by_label("Topics").fill("hedges\nmoss")
    page.get_by_role("button", name="Save as a new version").click()
    make_reading(Agent.objects.get(), "Hedges")
    browser.go("/studio/@dunnock")
    page.get_by_label("Topic").fill("Why hedges are never quiet")
    page.get_by_label("As").select_option("article")
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_role("status")).to_contain_text("Queued")
    carry(Run.objects.get())
    page.get_by_role("button", name="Approve and publish").click()
    expect(page.get_by_role("status")).to_contain_text("Queued")
    carry(Run.objects.get())

    page.get_by_role("link", name="Publish it elsewhere").click()
    expect(page.get_by_label("Text")).not_to_have_value("")
    page.get_by_label("Text").fill("Why hedges are never quiet: a wren weighs nine grams.")
    page.get_by_label("Mastodon @wren@birds.example").check()
    expect(page.locator("#preview")).to_contain_text("53 of 500 characters")
    page.get_by_label("Day").fill(str(may(12).date()))
    page.get_by_label("Time", exact=True).fill("09:00")
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.locator(".entry")).to_contain_text("09:00 Scheduled")

    drag(page, "Why hedges", str(may(14).date()))
    expect(page.get_by_role("alert")).to_contain_text("Moved to")
    expect(page.locator(f"td[data-day='{may(14).date()}'] .entry")).to_contain_text("09:00 Scheduled")
    assert Publication.objects.get().scheduled_at == may(14)

    page.locator(".entry a").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
    expect(page.get_by_role("alert")).to_contain_text("It goes out now.")
    publish_all()
    assert mastodon.texts() == ["Why hedges are never quiet: a wren weighs nine grams."]
    browser.go("/studio/calendar/")
    expect(page.locator(".entry.published")).to_contain_text("Published")
    assert browser.complaints == []


@WITH_AND_WITHOUT
def test_moving_with_the_keyboard_alone(
    javascript: bool, alice: Profile, account: SocialAccount, visit: MakeVisit
) -> None:
    make_publication(account=account, scheduled_at=may(12))
    browser = visit(java_script_enabled=javascript, locale="en-US")
    page = browser.log_in(alice)
    browser.go(f"/studio/calendar/?day={may(12).date()}")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator(".entry a:focus").count():
            break
    page.keyboard.press("Enter")
    expect(page.get_by_label("Day", exact=True)).to_be_visible()
    for _ in range(30):
        if page.locator("input[type=date]:focus").count():
            break
        page.keyboard.press("Tab")
    page.keyboard.type(f"{may(15):%m%d%Y}")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Moved to").first).to_be_visible()
    assert Publication.objects.get().scheduled_at == may(15)
    assert browser.complaints == []


def test_dropping_on_an_hour_of_a_week_sets_the_hour(alice: Profile, account: SocialAccount, visit: MakeVisit) -> None:
    make_publication(account=account, scheduled_at=may(12, 9) + timedelta(minutes=15))
    browser = visit(viewport={"width": 1440, "height": 1400})
    page = browser.log_in(alice)
    browser.go(f"/studio/calendar/?view=week&day={may(12).date()}")
    cell = page.locator(f"td[data-day='{may(13).date()}'][data-hour='14']")
    page.locator(".entry").drag_to(cell)
    expect(cell.locator(".entry")).to_contain_text("14:15 Scheduled")
    assert Publication.objects.get().scheduled_at == may(13, 14) + timedelta(minutes=15)


def test_a_drag_on_an_old_page_changes_nothing_and_says_so(
    alice: Profile, account: SocialAccount, visit: MakeVisit
) -> None:
    publication = make_publication(account=account, scheduled_at=may(12))
    browser = visit(viewport={"width": 1440, "height": 1400})
    page = browser.log_in(alice)
    browser.go(f"/studio/calendar/?day={may(12).date()}")
    move(publication=publication, actor=alice, scheduled_at=may(20))
    drag(page, "A small bird", str(may(14).date()))
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("It was moved meanwhile")
    page.get_by_role("button", name="Close").click()
    publication.refresh_from_db()
    assert publication.scheduled_at == may(20)


def test_a_session_that_ended_while_dragging_leads_to_the_log_in(
    alice: Profile, account: SocialAccount, visit: MakeVisit
) -> None:
    make_publication(account=account, scheduled_at=may(12))
    browser = visit(viewport={"width": 1440, "height": 1400})
    page = browser.log_in(alice)
    browser.go(f"/studio/calendar/?day={may(12).date()}")
    browser.context.clear_cookies(name="sessionid")
    drag(page, "A small bird", str(may(14).date()))
    page.wait_for_url("**/log-in?next=**")
    assert Publication.objects.get().scheduled_at == may(12)


def test_scheduling_in_the_dialog_and_being_told_what_is_wrong(
    alice: Profile, account: SocialAccount, visit: MakeVisit
) -> None:
    browser = visit(viewport={"width": 1440, "height": 1000})
    page = browser.log_in(alice)
    browser.go(f"/studio/calendar/?day={may(12).date()}")
    page.get_by_role("link", name="Schedule", exact=True).click()
    dialog = page.get_by_role("dialog", name="Schedule")
    dialog.get_by_label("Text").fill("Herons stand still. " * 30)
    dialog.get_by_label("Mastodon").check()
    expect(dialog.locator("#preview .error").first).to_contain_text("Mastodon takes at most 500 characters")
    dialog.get_by_role("button", name="Schedule").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Mastodon takes at most 500 characters")
    dialog.get_by_label("Text").fill("Herons stand still.")
    dialog.get_by_role("button", name="Schedule").click()
    expect(page.locator(".entry")).to_contain_text("Herons stand still.")
    expect(dialog).not_to_be_visible()
    assert Publication.objects.get().status == Status.SCHEDULED
    assert [text for text in browser.complaints if "422" not in text] == []


def test_who_never_chose_a_time_zone_is_offered_the_browsers(
    alice: Profile, account: SocialAccount, visit: MakeVisit
) -> None:
    make_publication(account=account, scheduled_at=may(12))
    browser = visit(timezone_id="America/Sao_Paulo")
    page = browser.log_in(alice)
    browser.go(f"/studio/calendar/?day={may(12).date()}")
    expect(page.get_by_label("Time zone")).to_have_value("America/Sao_Paulo")
    page.get_by_role("button", name="Use it").click()
    expect(page.locator(".entry time")).to_have_text("06:00")
