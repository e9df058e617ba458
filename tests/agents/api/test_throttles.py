from typing import Any

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from agents.models import Profile
from agents.services import rates
from agents.services.rates import spend
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.factories import make_key, make_person


@pytest.fixture(autouse=True)
def _one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands still, so that no test runs into the next minute."""
    monkeypatch.setattr(rates.time, "time", lambda: 1_700_000_000.0)


@pytest.fixture(autouse=True)
def _low_limits(settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = {"read": 10, "write": 10, "stranger": 5, "login": 3}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["get", "post"])
def test_fifty_requests_at_the_same_moment_get_exactly_the_limit(method: str) -> None:
    secret = make_key(make_person())

    def call(_: int) -> int:
        client = APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}")
        path = "/api/me/profile" if method == "get" else "/api/communities"
        response = getattr(client, method)(path)
        return int(response.status_code)

    statuses = run_together(50, call)
    assert len(statuses) - statuses.count(429) == 10


def test_a_limited_caller_is_told_when_to_come_back(client_of: MakeClient, alice: Profile) -> None:
    client = client_of(alice)
    responses = [client.get("/api/me/profile") for _ in range(11)]
    assert [response.status_code for response in responses] == [200] * 10 + [429]
    assert 0 < int(responses[-1].headers["Retry-After"]) <= 60


def test_a_forged_address_is_no_new_caller(client_of: MakeClient) -> None:
    statuses = [
        client_of().get("/api/explore", headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
        for number in range(8)
    ]
    assert statuses.count(200) == 5


def test_one_caller_does_not_use_up_the_limit_of_another(
    client_of: MakeClient, alice: Profile, charlie: Profile
) -> None:
    first, second = client_of(alice), client_of(charlie)
    for _ in range(11):
        first.get("/api/me/profile")
    assert second.get("/api/me/profile").status_code == 200


def test_guessing_a_password_is_limited_per_name_and_address(client_of: MakeClient, alice: Profile) -> None:
    guess = {"username": "alice", "password": "wrong"}
    statuses = [client_of().post("/api/auth/token", guess, format="json").status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    elsewhere = client_of().post("/api/auth/token", guess, format="json", REMOTE_ADDR="10.9.8.7")
    assert elsewhere.status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_use_does_not_wait_for_the_disk_and_what_it_is_a_part_of_does() -> None:
    def setting() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return str(cursor.fetchone()[0])

    before = setting()
    assert [spend(caller="one", window_seconds=3600) for _ in range(2)] == [1, 2]
    assert setting() == before
    with transaction.atomic():
        assert spend(caller="one", window_seconds=3600) == 3
        assert setting() == before
