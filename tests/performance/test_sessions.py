"""Sessions outlive Valkey, end at once, and cannot be written by whoever can write to Valkey."""

from datetime import timedelta

import orjson
import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from performance.caches import caches
from performance.caches.valkey import breaker
from performance.sessions import SessionStore
from tests.concurrency import wait_until
from tests.performance.conftest import OwnValkey

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def saved(valkey: OwnValkey) -> SessionStore:
    session = SessionStore()
    session["seen"] = 7
    session.save()
    return session


def statements_of(session: SessionStore) -> int:
    with CaptureQueriesContext(connection) as queries:
        session.get("seen")
    return len(queries)


def again(session: SessionStore) -> SessionStore:
    return SessionStore(session.session_key)


def test_a_session_is_read_without_a_statement(saved: SessionStore) -> None:
    assert statements_of(again(saved)) == 0
    assert again(saved)["seen"] == 7


def test_a_session_that_is_not_cached_is_read_from_the_database_once(saved: SessionStore, valkey: OwnValkey) -> None:
    valkey.client().flushall()
    assert [statements_of(again(saved)) for _ in range(3)] == [1, 0, 0]


def test_an_unknown_session_is_empty_and_gets_a_new_key(valkey: OwnValkey) -> None:
    unknown = SessionStore("a" * 32)
    assert (dict(unknown.items()), unknown.session_key) == ({}, None)


def test_a_change_is_seen_at_once(saved: SessionStore) -> None:
    change = again(saved)
    change["seen"] = 8
    change.save()
    assert again(saved)["seen"] == 8


def test_a_session_ends_at_once(saved: SessionStore) -> None:
    assert again(saved)["seen"] == 7
    again(saved).delete()
    assert "seen" not in again(saved)


def test_a_session_that_ended_while_valkey_was_away_stays_ended(saved: SessionStore, valkey: OwnValkey) -> None:
    valkey.freeze()
    again(saved).delete()
    assert "seen" not in again(saved)
    valkey.thaw()
    wait_until(lambda: not breaker.is_open)
    assert "seen" not in again(saved)


def test_sessions_go_on_while_valkey_is_away(saved: SessionStore, valkey: OwnValkey) -> None:
    valkey.freeze()
    assert again(saved)["seen"] == 7
    other = SessionStore()
    other["seen"] = 9
    other.save()
    assert again(other)["seen"] == 9


def test_an_expired_session_is_empty_even_if_it_is_cached(saved: SessionStore) -> None:
    ended = again(saved)
    ended.set_expiry(timezone.now() - timedelta(seconds=1))
    ended.save()
    assert "seen" not in again(saved)
    assert Session.objects.filter(pk=saved.session_key).exists()


@pytest.mark.parametrize("forged", ["eyJzZWVuIjo5OX0:1xMJ0v:forged", "", "{}"])
def test_a_session_written_to_valkey_by_somebody_else_is_empty(
    saved: SessionStore, valkey: OwnValkey, forged: str
) -> None:
    name = caches["sessions"].store.entry(str(saved.session_key))
    versions, (_, expires_at) = orjson.loads(valkey.client().get(name) or b"")
    for value in ([forged, expires_at], forged, [forged], [forged, "tomorrow"]):
        valkey.client().set(name, orjson.dumps([versions, value]))
        assert "seen" not in again(saved)
