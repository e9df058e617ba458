"""A key that is remembered saves a statement, and nothing that happened to it is ever missed."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from agents.api import recalling
from agents.models import Agent, ApiKey, Profile
from agents.services.agents import update_agent
from agents.services.keys import digest_of, revoke_key, rotate_key
from performance.caches import invalidation
from performance.caches.valkey import breaker
from tests.concurrency import run_together, wait_until
from tests.conftest import MakeClient
from tests.factories import make_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _remembering(settings: Any) -> None:
    settings.API_KEY_RECALLED_SECONDS = 30


def statements_of(call: Callable[[], Any], *, status: int = 200) -> int:
    with CaptureQueriesContext(connection) as statements:
        response = call()
    assert response.status_code == status, response.content
    return len(statements)


def read_until_remembered(client: APIClient, path: str = "/api/feed") -> None:
    """Meet the key, give its tags versions, keep its row: from then on a read costs one statement."""
    for _ in range(3):
        client.get(path)
    assert statements_of(lambda: client.get(path)) == 1


def test_the_fourth_read_does_not_ask_who_calls(client_of: MakeClient, bob: Profile) -> None:
    read_until_remembered(client_of(bob))


def test_a_write_asks_who_calls(client_of: MakeClient, bob: Profile) -> None:
    client = client_of(bob)
    read_until_remembered(client)
    with CaptureQueriesContext(connection) as statements:
        client.post("/api/updates/read", {"up_to": 1}, format="json")
    assert any("digest" in row["sql"] for row in statements)


def test_the_page_of_oneself_shows_what_others_count(client_of: MakeClient, bob: Profile) -> None:
    client = client_of(bob)
    read_until_remembered(client)
    Profile.objects.filter(pk=bob.pk).update(follower_count=7)
    assert client.get("/api/me/profile").json()["follower_count"] == 7


@pytest.mark.parametrize("end", [revoke_key, rotate_key])
def test_a_revoked_key_is_refused_at_once(bob: Profile, end: Callable[..., Any]) -> None:
    secret = make_key(bob)
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}")
    read_until_remembered(client)
    end(key=ApiKey.objects.get(digest=digest_of(secret)))
    assert statements_of(lambda: client.get("/api/feed"), status=401) == 1


def test_the_key_of_a_deactivated_agent_is_refused_at_once(client_of: MakeClient, wren: Agent) -> None:
    client = client_of(wren.profile)
    read_until_remembered(client)
    update_agent(agent=wren, is_active=False)
    assert client.get("/api/feed").status_code == 401


def test_a_key_ends_when_it_expires(bob: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = make_key(bob)
    ApiKey.objects.filter(digest=digest_of(secret)).update(expires_at=timezone.now() + timedelta(minutes=1))
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}")
    read_until_remembered(client)
    ApiKey.objects.filter(digest=digest_of(secret)).update(expires_at=timezone.now() - timedelta(minutes=1))
    now = timezone.now() + timedelta(minutes=2)
    monkeypatch.setattr(recalling.timezone, "now", lambda: now)
    assert client.get("/api/feed").status_code == 401


def test_what_nobody_announced_is_seen_when_the_time_is_over(
    client_of: MakeClient, bob: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(bob)
    read_until_remembered(client)
    ApiKey.objects.filter(profile=bob).update(revoked_at=timezone.now())
    assert client.get("/api/feed").status_code == 200
    later = recalling.monotonic() + 31
    monkeypatch.setattr(recalling, "monotonic", lambda: later)
    assert client.get("/api/feed").status_code == 401


def test_staff_end_what_is_remembered_of_everybody(client_of: MakeClient, bob: Profile) -> None:
    client = client_of(bob)
    read_until_remembered(client)
    invalidation.invalidate_now([invalidation.WITHDRAWN])
    assert statements_of(lambda: client.get("/api/feed")) == 2


def test_without_valkey_nothing_is_believed(client_of: MakeClient, bob: Profile) -> None:
    client = client_of(bob)
    read_until_remembered(client)
    ApiKey.objects.filter(profile=bob).update(revoked_at=timezone.now())
    breaker.is_open = True
    try:
        assert client.get("/api/feed").status_code == 401
    finally:
        breaker.reset()


def test_the_limit_counts_what_was_asked_together(client_of: MakeClient, bob: Profile, settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = {**settings.REQUESTS_PER_MINUTE, "read": 10}
    client = client_of(bob)
    statuses = [client.get("/api/feed").status_code for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2


def test_the_last_use_is_written_once(client_of: MakeClient, bob: Profile) -> None:
    client = client_of(bob)
    read_until_remembered(client)
    long_ago = timezone.now() - timedelta(hours=1)
    ApiKey.objects.filter(profile=bob).update(last_used_at=long_ago)
    invalidation.invalidate_now([f"profile:{bob.pk}"])
    assert [statements_of(lambda: client.get("/api/feed")) for _ in range(3)] == [3, 2, 1]
    assert ApiKey.objects.get(profile=bob).last_used_at > long_ago


def test_each_request_gets_instances_of_its_own(bob: Profile) -> None:
    digest = digest_of(make_key(bob))
    for _ in range(3):
        recalling.recall(digest)
    (first, _), (second, _) = recalling.recall(digest), recalling.recall(digest)
    assert first and second and first is not second and first.profile is not second.profile


def test_no_read_that_begins_after_a_revocation_succeeds(bob: Profile) -> None:
    secret = make_key(bob)
    reads: list[tuple[float, int]] = []
    revoked_at: list[float] = []

    def work(number: int) -> None:
        if number == 0:
            wait_until(lambda: len(reads) > 20)
            revoke_key(key=ApiKey.objects.get(digest=digest_of(secret)))
            revoked_at.append(monotonic())
            return
        client = APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}")
        left = 5
        while left:
            left -= bool(revoked_at)
            began = monotonic()
            reads.append((began, client.get("/api/feed").status_code))

    run_together(5, work)
    assert {status for _, status in reads[:20]} == {200}
    assert {status for began, status in reads if began > revoked_at[0]} == {401}
