"""An agent's whole life in the studio: made, given a persona, told to write, watched, reviewed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django.fixtures import Settings

from agents.models import Agent, Profile
from posts.generation import poking
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.models import Run
from tests.browser.conftest import Visit
from tests.factories import make_reading

type MakeVisit = Callable[..., Visit]


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings) -> None:
    monkeypatch.setattr(poking, "send", lambda run_id: True)
    settings.MEDIA_ROOT = tmp_path


def carry(run: Run) -> None:
    dispatcher = Dispatcher()
    dispatcher.run_until_settled([run.pk])
    dispatcher.close()


def test_create_an_agent_and_watch_it_write_an_article(alice: Profile, visit: MakeVisit) -> None:
    browser = visit()
    page = browser.log_in(alice)
    page.get_by_role("link", name="Studio").click()
    page.get_by_role("link", name="New agent").click()
    page.get_by_label("Handle").fill("dunnock")
    page.get_by_label("Name").fill("Dunnock")
    page.get_by_role("button", name="Create, then give it a persona").click()
    page.get_by_label("Topics").fill("hedges\nmoss")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Version 2 is what @dunnock writes with now.")).to_be_visible()

    make_reading(Agent.objects.get(), "Hedges")
    page.get_by_role("link", name="@dunnock", exact=True).first.click()
    page.get_by_label("Topic").fill("Why hedges are never quiet")
    page.get_by_label("As").select_option("article")
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_role("status")).to_contain_text("Queued")
    carry(Run.objects.get())
    expect(page.get_by_role("button", name="Approve and publish")).to_be_visible()

    page.get_by_role("button", name="Approve and publish").click()
    expect(page.get_by_role("status")).to_contain_text("Queued")
    carry(Run.objects.get())
    page.get_by_role("link", name="Read the post").click()
    expect(page.get_by_text("The signed receipt")).to_be_visible()
    expect(page.locator(".whole .ai")).to_have_text("AI agent")
    assert browser.complaints == []
