"""Log-in, sign-up and settings."""

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

from agents.models import Agent, ApiKey, Profile
from agents.services.keys import create_key
from tests.factories import make_person

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
PASSWORD = "a long enough one"


@pytest.fixture
def rita(db: None) -> Profile:
    rita = make_person("rita")
    assert rita.user
    rita.user.set_password(PASSWORD)
    rita.user.save()
    return rita


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("/explore", "/explore"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("home", "home"),
        ("", "/"),
    ],
)
def test_the_log_in_leads_back_to_this_site_only(wanted: str, given: str, rita: Profile, client: Client) -> None:
    response = client.post("/log-in", {"username": "RITA", "password": PASSWORD, "next": wanted})
    if response.status_code == 422:
        response = client.post("/log-in", {"username": "rita", "password": PASSWORD, "next": wanted})
    assert (response.status_code, response["Location"]) == (302, given)


def test_a_wrong_password_keeps_the_name_and_not_the_password(rita: Profile, client: Client) -> None:
    response = client.post("/log-in", {"username": "rita", "password": "wrong-one"})
    assert response.status_code == 422
    assert "User name or password is wrong." in response.text
    assert 'value="rita"' in response.text and "wrong-one" not in response.text


def test_guessing_is_slowed_down_for_the_guesser_alone(rita: Profile, client: Client) -> None:
    for _ in range(settings.REQUESTS_PER_MINUTE["login"]):
        client.post("/log-in", {"username": "rita", "password": "wrong-one"})
    refused = client.post("/log-in", {"username": "rita", "password": PASSWORD})
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    elsewhere = client.post("/log-in", {"username": "rita", "password": PASSWORD}, REMOTE_ADDR="127.0.0.2")
    assert elsewhere.status_code == 302


def test_signing_up_logs_in(client: Client) -> None:
    response = client.post("/sign-up", {"username": "nils", "password": PASSWORD, "display_name": "Nils"})
    assert response["Location"] == "/"
    assert "@nils" in client.get("/").text
    assert client.post("/log-out")["Location"] == "/"
    assert "@nils" not in client.get("/").text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"username": "Rita", "password": PASSWORD}, "Somebody has this handle already"),
        ({"username": "nils", "password": "password"}, "too common"),
        ({"username": "ni ls", "password": PASSWORD}, "Use 1 to 40 letters"),
        ({"username": "nils\x00", "password": PASSWORD}, "Use 1 to 40 letters"),
        ({"username": "nils", "password": PASSWORD, "display_name": "Nils <b>\x00"}, "Null characters are not allowed"),
    ],
)
def test_a_sign_up_that_is_refused_says_why_and_keeps_what_was_typed(
    data: dict[str, str], message: str, rita: Profile, client: Client
) -> None:
    response = client.post("/sign-up", {"display_name": "Nils <b>", **data})
    assert response.status_code == 422
    assert message in response.text
    assert "Nils &lt;b&gt;" in response.text
    assert not Profile.objects.filter(handle="nils").exists()


def test_settings_are_for_who_is_logged_in(client: Client) -> None:
    assert client.get("/settings")["Location"] == "/log-in?next=%2Fsettings"


def test_the_profile_is_changed_and_nothing_else(rita: Profile, browser_of: BrowserOf) -> None:
    client = browser_of(rita)
    client.post("/settings/profile", {"display_name": "Rita R.", "bio": "Reads.", "kind": "agent", "post_count": "9"})
    rita.refresh_from_db()
    assert (rita.display_name, rita.bio, rita.kind, rita.post_count) == ("Rita R.", "Reads.", "person", 0)
    refused = client.post("/settings/profile", {"display_name": "", "bio": "Kept as typed"})
    assert refused.status_code == 422 and "Kept as typed" in refused.text


def test_a_key_is_shown_once_rotated_and_revoked(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    client = browser_of(alice)
    shown = client.post("/settings/keys", {"name": "Script", "acts_as": "wren", "scopes": ["read", "post"]}).text
    secret = re.search(r"avy_[0-9a-f]{8}_[\w-]{43}", shown)
    assert secret and secret[0] not in client.get("/settings").text
    key = ApiKey.objects.get()
    assert (key.profile_id, key.scopes) == (wren.pk, ["post", "read"])
    client.post(f"/settings/keys/{key.pk}/rotate")
    fresh = ApiKey.objects.get(revoked_at=None)
    assert fresh.pk != key.pk
    client.post(f"/settings/keys/{fresh.pk}/revoke")
    assert not ApiKey.objects.filter(revoked_at=None).exists()


def test_nobody_touches_the_keys_or_agents_of_others(rita: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    key, _ = create_key(profile=wren.profile, name="hers", scopes=["read"])
    client = browser_of(rita)
    assert client.post(f"/settings/keys/{key.pk}/revoke").status_code == 404
    assert client.post(f"/settings/keys/{key.pk}/rotate").status_code == 404
    assert client.post("/settings/keys", {"name": "x", "acts_as": "wren", "scopes": ["read"]}).status_code == 422
    assert ApiKey.objects.filter(revoked_at=None).count() == 1


def test_a_new_password_ends_every_other_session(rita: Profile, browser_of: BrowserOf) -> None:
    here, there = browser_of(rita), browser_of(rita)
    change = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}
    assert here.post("/settings/password", change).status_code == 302
    assert here.get("/settings").status_code == 200
    assert there.get("/settings").status_code == 302
