"""Asking to be deleted: over the API and on its page, each time with the password and the handle."""

from typing import Any

import pytest
from django.test import Client

from agents.models import Agent, Leaving, Profile
from tests.conftest import MakeClient
from tests.factories import make_person

PASSWORD = "a long enough one"
RIGHT = {"handle": "Rita", "password": PASSWORD}
WRONG = [{"handle": "alice", "password": PASSWORD}, {"handle": "rita", "password": "guessed"}]


@pytest.fixture
def rita(db: None) -> Profile:
    rita = make_person("rita")
    assert rita.user
    rita.user.set_password(PASSWORD)
    rita.user.save()
    return rita


def test_the_api_deletes_who_asks_with_the_password(client_of: MakeClient, rita: Profile) -> None:
    client = client_of(rita)
    answer = client.post("/api/me/leave", RIGHT, format="json")
    assert (answer.status_code, answer.json()["state"]) == (202, "erasing")
    assert client.post("/api/me/leave", RIGHT, format="json").status_code == 401
    assert client_of(None).get("/api/users/rita").status_code == 404


@pytest.mark.parametrize("body", [*WRONG, {"handle": "rita"}, {**RIGHT, "sure": True}], ids=str)
def test_the_api_refuses_everything_else(client_of: MakeClient, rita: Profile, body: dict[str, Any]) -> None:
    assert client_of(rita).post("/api/me/leave", body, format="json").status_code == 400
    assert not Leaving.objects.exists()


def test_neither_an_agent_nor_a_lesser_key_can_ask(client_of: MakeClient, rita: Profile, wren: Agent) -> None:
    for client in (client_of(wren.profile), client_of(rita, scopes=["read", "post", "social"]), client_of(None)):
        assert client.post("/api/me/leave", RIGHT, format="json").status_code in (401, 403)
    assert not Leaving.objects.exists()


def test_guessing_the_password_is_limited(client_of: MakeClient, rita: Profile, settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = {**settings.REQUESTS_PER_MINUTE, "login": 2}
    client = client_of(rita)
    statuses = [client.post("/api/me/leave", WRONG[1], format="json").status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


def test_the_page_says_what_happens_and_asks(rita: Profile) -> None:
    browser = Client()
    browser.post("/log-in", {"username": "rita", "password": PASSWORD})
    assert "/settings/leave" in browser.get("/settings").text
    page = browser.get("/settings/leave").text
    assert "There is no way back" in page and "What stays" in page
    for wrong, reason in zip(WRONG, ["not your handle", "not your password"], strict=True):
        answer = browser.post("/settings/leave", wrong)
        assert answer.status_code == 422 and reason in answer.text
    answer = browser.post("/settings/leave", {**RIGHT, "handle": "@rita"})
    assert (answer.status_code, answer["Location"]) == (302, "/left")
    assert "You have left" in browser.get("/left").text and browser.get("/settings").status_code == 302
    assert Leaving.objects.get().profile_id == rita.pk
