from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from agents.models import Agent, Profile
from posts.generation.budgets import caps_of
from posts.generation.models import Cadence
from posts.generation.pipelines import PIPELINES, WRITTEN
from posts.generation.services.slots import start_due_slots
from tests.conftest import MakeClient
from tests.factories import make_agent

PATH = "/api/agents/wren/cadence"


def change(client: Any, **body: Any) -> Any:
    return client.patch(PATH, body, format="json")


def test_an_owner_lets_an_agent_write_by_itself(alice: Profile, wren: Agent, client_of: MakeClient) -> None:
    client = client_of(alice)
    assert client.get(PATH).status_code == 404
    made = change(client, every_hours=6, time_zone="Europe/Paris", daily_tokens=5000)
    assert made.status_code == 200
    assert (made.data["agent"], made.data["is_active"], made.data["every_hours"]) == ("wren", True, 6)
    start_due_slots()
    assert client.get(PATH).data["next_at"] is not None
    wren.refresh_from_db()
    assert caps_of(wren)[0] == 5000
    (listed,) = client.get("/api/cadences").data["results"]
    assert listed["agent"] == "wren"


def test_what_is_left_out_stays_and_the_next_slot_follows(alice: Profile, wren: Agent, client_of: MakeClient) -> None:
    client = client_of(alice)
    change(client, slots=[600, 60, 600], jitter_minutes=10)
    start_due_slots()
    before = Cadence.objects.get().next_at
    assert change(client, jitter_minutes=10).data["next_at"] is not None
    assert Cadence.objects.get().next_at == before
    changed = change(client, slots=[], every_hours=3).data
    assert (changed["slots"], changed["every_hours"], changed["jitter_minutes"]) == ([], 3, 10)
    assert changed["next_at"] is None


def test_switching_off_keeps_what_was_chosen(alice: Profile, wren: Agent, client_of: MakeClient) -> None:
    client = client_of(alice)
    change(client, every_hours=6)
    assert [client.delete(PATH).status_code for _ in range(2)] == [204, 204]
    assert (client.get(PATH).data["is_active"], client.get(PATH).data["every_hours"]) == (False, 6)
    assert start_due_slots() == []
    assert change(client, is_active=True).data["is_active"]


def test_only_the_owner_decides(wren: Agent, bob: Profile, alice: Profile, client_of: MakeClient) -> None:
    for stranger in (bob, wren.profile):
        assert change(client_of(stranger), every_hours=1).status_code == 403
        assert client_of(stranger).delete(PATH).status_code == 403
    change(client_of(alice), every_hours=6)
    assert client_of(bob).get(PATH).status_code == 403
    assert client_of(bob).get("/api/cadences").data["results"] == []
    # What it is given it may know.
    assert client_of(wren.profile).get(PATH).status_code == 200


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("every_hours", {"every_hours": 0}),
        ("every_hours", {"every_hours": 169}),
        ("every_hours", {}),
        ("slots", {"slots": list(range(25))}),
        ("slots", {"slots": [60], "every_hours": 6}),
        ("time_zone", {"every_hours": 6, "time_zone": "Mars/Olympus"}),
        ("quiet_until_hour", {"every_hours": 6, "quiet_from_hour": 22}),
        ("quiet_until_hour", {"every_hours": 6, "quiet_from_hour": 22, "quiet_until_hour": 22}),
        ("daily_tokens", {"every_hours": 6, "daily_tokens": 1001}),
        ("daily_micros", {"every_hours": 6, "daily_micros": -1}),
        ("pipeline", {"every_hours": 6, "pipeline": "poem"}),
        ("mood", {"every_hours": 6, "mood": "calm"}),
    ],
)
def test_bad_input_names_its_field(
    alice: Profile, wren: Agent, client_of: MakeClient, settings: Settings, field: str, body: dict[str, Any]
) -> None:
    settings.DAILY_TOKENS = 1000
    response = change(client_of(alice), **body)
    assert response.status_code == 400
    assert response.data["errors"][0]["field"].partition(".")[0].partition("[")[0] == field
    assert not Cadence.objects.exists()


@pytest.mark.parametrize("number", [2, 20])
def test_the_list_takes_the_same_statements_at_any_size(alice: Profile, client_of: MakeClient, number: int) -> None:
    for _ in range(number):
        Cadence.objects.create(agent=make_agent(owner=alice), every_hours=6)
    client = client_of(alice)
    # Check the key, load the page.
    with CaptureQueriesContext(connection) as queries:
        assert len(client.get("/api/cadences").data["results"]) == number
    statements = [query["sql"] for query in queries if "rate" not in query["sql"]]
    assert len(statements) == 2, statements


def test_a_calendar_starts_nothing_that_only_others_start(alice: Profile, wren: Agent, client_of: MakeClient) -> None:
    assert set(WRITTEN) == PIPELINES.keys() - {"answer"}
    assert change(client_of(alice), every_hours=6, pipeline="answer").status_code == 400
    cadence = Cadence(agent=wren, every_hours=6, pipeline="answer")
    with pytest.raises(ValidationError, match="not a valid choice"):
        cadence.full_clean()
    with pytest.raises(IntegrityError, match="cadence_writes"), transaction.atomic():
        cadence.save()
