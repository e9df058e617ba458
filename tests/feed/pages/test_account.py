"""What a person settles about themselves: sessions and blocks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.models import Block, Profile, Session
from agents.services.blocks import block
from agents.services.sessions import end_other_sessions
from agents.sessions import device_of
from tests.factories import make_key, make_person

type BrowserOf = Callable[[Profile | None], Client]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PASSWORD = "a long enough one"


def log_in(person: Profile, user_agent: str = FIREFOX) -> Client:
    assert person.user
    if not person.user.check_password(PASSWORD):
        person.user.set_password(PASSWORD)
        person.user.save()
    browser = Client(headers={"user-agent": user_agent})
    browser.post("/log-in", {"username": person.handle, "password": PASSWORD})
    return browser


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on an iPhone"),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
def test_a_device_has_a_name(user_agent: str, name: str) -> None:
    assert device_of(user_agent) == name


def test_settings_list_where_one_is_logged_in(charlie: Profile) -> None:
    browser = log_in(charlie)
    log_in(charlie, "curl/8.0")
    page = browser.get("/settings").text
    assert '<b>Firefox on Linux</b> <span class="layer">This one</span>' in page and "<b>curl</b>" in page


def test_a_session_that_is_saved_again_began_when_it_did(charlie: Profile) -> None:
    browser = log_in(charlie)
    before = Session.objects.get(user=charlie.user)
    session: Any = browser.session
    session["more"] = 1
    session.save()
    after = Session.objects.get(user=charlie.user)
    assert (after.created_at, after.device) == (before.created_at, "Firefox on Linux")


@pytest.mark.parametrize("loses_cache", [True, False])
def test_logging_out_everywhere_else_ends_all_but_this(charlie: Profile, loses_cache: bool) -> None:
    here, there, everywhere = log_in(charlie), log_in(charlie), log_in(make_person("somebody"))
    if loses_cache:
        cache.clear()
    response = here.post("/settings/sessions/end", follow=True)
    assert "logged out on 1 other device." in response.text
    assert here.get("/settings").status_code == everywhere.get("/settings").status_code == 200
    assert there.get("/settings").status_code == 302
    assert "no other device" in here.post("/settings/sessions/end", follow=True).text


def test_blocking_by_handle_and_lifting_it(browser_of: BrowserOf, alice: Profile, charlie: Profile) -> None:
    browser = browser_of(alice)
    for _ in range(2):
        assert browser.post("/settings/blocks", {"handle": "@Charlie"})["Location"] == "/settings#blocks"
    assert Block.objects.filter(blocker=alice, blocked=charlie).count() == 1
    assert "@charlie" in browser.get("/settings").text
    for _ in range(2):
        browser.post("/settings/blocks/charlie/lift")
    assert not Block.objects.exists()
    assert "You block nobody." in browser.get("/settings").text


@pytest.mark.parametrize(
    ("handle", "reason"),
    [("nobody", "Nobody has"), ("alice", "block oneself"), ("<b>", "Use 1 to 40"), ("", "required")],
)
def test_who_cannot_be_blocked_is_said(browser_of: BrowserOf, alice: Profile, handle: str, reason: str) -> None:
    response = browser_of(alice).post("/settings/blocks", {"handle": handle})
    assert response.status_code == 422 and reason in response.text


@pytest.mark.parametrize("number", [2, 20])
def test_settings_take_the_same_statements_at_any_size(browser_of: BrowserOf, charlie: Profile, number: int) -> None:
    for _ in range(number):
        block(blocker=charlie, blocked=make_person())
        make_key(charlie)
        browser = browser_of(charlie)
    with CaptureQueriesContext(connection) as queries:
        assert browser.get("/settings").status_code == 200
    # The user; the agents a key can act as; the keys; the sessions; the newest export; the blocked; what is unread.
    assert len(queries) == 7, [query["sql"] for query in queries]


def test_a_profile_typed_when_the_session_had_ended_is_there_after_the_log_in(charlie: Profile) -> None:
    browser = log_in(charlie)
    assert charlie.user
    end_other_sessions(user=charlie.user, keep=None)
    typed = {"display_name": "Charlie Brown", "bio": "Has a dog."}
    answer = browser.post("/settings/profile", typed, follow=True)
    assert "What you wrote is kept" in answer.text
    assert answer.redirect_chain == [("/log-in?next=%2Fsettings", 302)]
    browser.post("/log-in", {"username": "charlie", "password": PASSWORD})
    page = browser.get("/settings").text
    assert "Charlie Brown" in page and "Has a dog." in page
    assert "Has a dog." not in browser.get("/settings").text
    charlie.refresh_from_db()
    assert charlie.bio == ""
