"""A request says what it has ended and what is new with one question, and nobody who asks meanwhile is told less."""

from typing import Any

import pytest

from performance.caches import announce, caches, invalidate, invalidation
from performance.caches.announcements import channel, listening
from performance.caches.invalidation import gathering, tag_key
from performance.caches.valkey import UNREACHABLE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record what is asked of Valkey."""
    asked: list[Any] = []
    original = invalidation.ask_all

    def ask_all(*commands: Any) -> Any:
        asked.append(commands)
        return original(*commands)

    monkeypatch.setattr(invalidation, "ask_all", ask_all)
    return asked


def test_several_services_ask_once_and_in_order(questions: list[Any]) -> None:
    with gathering():
        announce("published", "12")
        invalidate("post:1")
        invalidate("post:1", "profile:2")
        assert questions == []
    (commands,) = questions
    assert [command[1] for command in commands if command[0] == "SET"].count(tag_key("post:1")) == 1
    assert commands[-1] == ("PUBLISH", channel("published"), "12")


def test_outside_of_a_request_it_is_said_at_once(questions: list[Any]) -> None:
    invalidate("post:1")
    announce("published", "12")
    assert len(questions) == 2


def test_who_reads_meanwhile_is_not_told_what_was_ended() -> None:
    caches["profile"].set("count", 1, tags=["profile:2"])
    with gathering():
        invalidate("profile:2")
        assert caches["profile"].get("count", tags=["profile:2"]) is None
        assert caches["profile"].get_or_compute("count", lambda: 2, tags=["profile:2"]) == 2
    assert caches["profile"].get("count", tags=["profile:2"]) == 2


def test_a_request_that_fails_has_said_what_it_ended(questions: list[Any]) -> None:
    with pytest.raises(ZeroDivisionError), gathering():
        invalidate("post:1")
        raise ZeroDivisionError
    assert len(questions) == 1


def test_what_valkey_did_not_hear_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invalidation, "_missed", set())
    monkeypatch.setattr(invalidation, "ask_all", lambda *_: UNREACHABLE)
    with gathering():
        invalidate("post:1")
    assert invalidation._missed == {"post:1"}


def test_news_is_heard() -> None:
    with listening(channel("published")) as heard:
        with gathering():
            announce("published", "12")
        assert heard.hear(2) == [(channel("published"), "12")]
