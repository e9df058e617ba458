from hashlib import sha256
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from agents.knowledge.services import save_content
from agents.models import Agent, Profile
from agents.services.agents import save_persona
from posts.generation import poking
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.models import Run
from posts.generation.receipts import is_genuine
from posts.generation.services.runs import create_run
from tests.conftest import MakeClient
from tests.factories import make_agent
from tests.posts.generation.conftest import Script


@pytest.fixture(autouse=True)
def poked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the pokes that would go to the broker."""
    pokes: list[int] = []
    monkeypatch.setattr(poking, "send", lambda run_id: pokes.append(run_id) or True)
    return pokes


def carry(run_id: int) -> None:
    dispatcher = Dispatcher()
    dispatcher.run_until_settled([run_id])
    dispatcher.close()


def ask(client: Any, **body: Any) -> Any:
    return client.post("/api/generations", {"agent": "wren", "topic": "Herons", **body}, format="json")


def test_an_owner_asks_for_a_post(
    alice: Profile,
    wren: Agent,
    client_of: MakeClient,
    poked: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = ask(client_of(alice))
    assert response.status_code == 202
    run = Run.objects.get()
    assert response["Location"] == f"/api/generations/{run.pk}" and response["Retry-After"] == "2"
    assert (response.data["state"], response.data["percentage"], response.data["poll_after_ms"]) == ("queued", 0, 2000)
    assert [step["name"] for step in response.data["steps"]][0] == "fetch_topic"
    assert poked == [run.pk]


def test_the_same_key_starts_one_run(alice: Profile, wren: Agent, client_of: MakeClient) -> None:
    client = client_of(alice)
    asked = {"data": {"agent": "wren"}, "format": "json", "headers": {"Idempotency-Key": "once"}}
    first, second = (client.post("/api/generations", **asked).json()["id"] for _ in range(2))
    assert first == second and Run.objects.count() == 1


def test_an_agent_asks_for_itself(wren: Agent, client_of: MakeClient) -> None:
    assert ask(client_of(wren.profile)).status_code == 202


def test_a_stranger_may_not(wren: Agent, charlie: Profile, client_of: MakeClient) -> None:
    assert ask(client_of(charlie)).status_code == 403
    assert ask(client_of(None)).status_code in (401, 403)


@pytest.mark.parametrize("action", ["", "/cancel", "/retry", "/approve", "/reject", "/events"])
def test_a_run_of_others_does_not_exist(wren: Agent, charlie: Profile, client_of: MakeClient, action: str) -> None:
    run = create_run(agent=wren)
    client = client_of(charlie)
    path = f"/api/generations/{run.pk}{action}"
    response = client.get(path) if action in ("", "/events") else client.post(path, {}, format="json")
    assert response.status_code == 404
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED


def test_the_list_holds_the_runs_of_ones_own_agents_only(
    alice: Profile, wren: Agent, charlie: Profile, client_of: MakeClient
) -> None:
    run = create_run(agent=wren)
    create_run(agent=make_agent())
    listed = [client_of(who).get("/api/generations").data["results"] for who in (alice, wren.profile, charlie)]
    assert [[found["id"] for found in results] for results in listed] == [[run.pk], [run.pk], []]


@pytest.mark.parametrize(
    ("field", "value"),
    [("topic", "a\x00b"), ("topic", "x" * 301), ("pipeline", "poem"), ("layer", 1), ("agent", "w ren"), ("mood", "x")],
)
def test_bad_input_names_its_field(alice: Profile, wren: Agent, client_of: MakeClient, field: str, value: Any) -> None:
    response = ask(client_of(alice), **{field: value})
    assert response.status_code == 400
    assert response.data["errors"][0]["field"] == field


def test_a_finished_run_says_so(alice: Profile, wren: Agent, client_of: MakeClient, script: Script) -> None:
    run = create_run(agent=wren, topic="Herons")
    carry(run.pk)
    data = client_of(alice).get(f"/api/generations/{run.pk}").data
    run.refresh_from_db()
    assert (data["state"], data["percentage"], data["poll_after_ms"]) == ("done", 100, 10000)
    assert data["post_id"] == run.post_id and data["tokens"] == 4 * 30 and data["cost_micros"] == 4 * 300


def test_a_run_is_cancelled_once(alice: Profile, wren: Agent, client_of: MakeClient) -> None:
    run, client = create_run(agent=wren), client_of(alice)
    assert client.post(f"/api/generations/{run.pk}/cancel").data["state"] == "cancelled"
    assert client.post(f"/api/generations/{run.pk}/cancel").status_code == 409


def test_an_article_waits_for_review_and_is_published(
    alice: Profile, wren: Agent, client_of: MakeClient, script: Script
) -> None:
    run, client = create_run(agent=wren, pipeline="article", topic="Herons"), client_of(alice)
    carry(run.pk)
    waiting = client.get(f"/api/generations/{run.pk}").data
    assert (waiting["state"], waiting["draft"]["title"]) == ("review", "A year with herons")
    assert client.post(f"/api/generations/{run.pk}/approve").data["state"] == "queued"
    carry(run.pk)
    run.refresh_from_db()
    assert run.post is not None and run.post.kind == "article"
    assert run.steps.get(name="review").output["approved_by"] == "alice"


def test_a_rejected_article_is_written_again_from_its_draft(
    alice: Profile, wren: Agent, client_of: MakeClient, script: Script
) -> None:
    run, client = create_run(agent=wren, pipeline="article", topic="Herons"), client_of(alice)
    carry(run.pk)
    rejected = client.post(f"/api/generations/{run.pk}/reject", {"reason": "Too long."}, format="json").data
    assert (rejected["state"], rejected["error"]) == ("rejected", "Too long.")
    again = client.post(f"/api/generations/{run.pk}/retry", {"step": "draft"}, format="json").data
    states = {step["name"]: step["state"] for step in again["steps"]}
    assert states["outline"] == states["image"] == "done" and states["draft"] == states["review"] == "waiting"
    carry(run.pk)
    assert script.asked()["outline"] == 1 and script.asked()["draft"] == 2


def test_events_tell_the_state_until_the_run_is_over(
    alice: Profile, wren: Agent, client_of: MakeClient, script: Script
) -> None:
    run = create_run(agent=wren, topic="Herons")
    carry(run.pk)
    response = client_of(alice).get(f"/api/generations/{run.pk}/events")
    body = b"".join(response.streaming_content)
    assert response["Content-Type"] == "text/event-stream"
    assert body.startswith(b"retry: 2000\n\nevent: run\ndata: {") and b'"state":"done"' in body


def test_whoever_sees_the_post_sees_its_signed_receipt(
    wren: Agent, client_of: MakeClient, script: Script, settings: Settings
) -> None:
    run = create_run(agent=wren, topic="Herons")
    carry(run.pk)
    run.refresh_from_db()
    receipt = client_of(None).get(f"/api/posts/{run.post_id}/provenance").json()
    assert (receipt["topic"], receipt["owner"], receipt["agent"]) == ("Herons", "alice", "wren")
    assert len(receipt["image"]["sha256"]) == 64 and receipt["tokens"] == 120
    assert is_genuine(receipt)
    assert not is_genuine({**receipt, "topic": "Terns"})
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert is_genuine(receipt)
    settings.SECRET_KEY_FALLBACKS = []
    assert not is_genuine(receipt)


def test_a_receipt_holds_what_the_post_was_made_of(wren: Agent, client_of: MakeClient, script: Script) -> None:
    persona = save_persona(agent=wren, persona={"topics": ["herons"]})
    wren.refresh_from_db()
    fishing = "Herons fish in shallow water and wait for as long as it takes. They strike faster than one can blink."
    note, _ = save_content(agent=wren, platform="notes", title="Herons", text=fishing)
    run = create_run(agent=wren, topic="Herons")
    carry(run.pk)
    run.refresh_from_db()
    receipt = client_of(None).get(f"/api/posts/{run.post_id}/provenance").json()
    (passage,) = receipt["passages"]
    said = note.text[passage["start"] : passage["end"]]
    assert (passage["content_id"], passage["sha256"]) == (note.pk, sha256(said.encode()).hexdigest())
    assert receipt["persona_version"] == persona.number
    shown = {step["name"]: step for step in receipt["steps"]}
    for step in run.steps.filter(prompt__isnull=False):
        found, prompt = shown[step.name], step.prompt
        assert found["prompt_sha256"] == sha256(orjson.dumps(prompt, option=orjson.OPT_SORT_KEYS)).hexdigest()
        assert found["instruction"] == (prompt.get("instruction") or prompt["description"]) != ""
        assert found["model"] == "scripted" and found["parameters"].items() <= prompt.items() and found["parameters"]
        assert (found["tokens_in"], found["tokens_out"], found["cost_micros"]) == (10, 20, 300)


def test_a_private_posts_receipt_is_private(
    wren: Agent, charlie: Profile, client_of: MakeClient, script: Script
) -> None:
    run = create_run(agent=wren, topic="Herons", layer=2)
    carry(run.pk)
    run.refresh_from_db()
    assert client_of(charlie).get(f"/api/posts/{run.post_id}/provenance").status_code == 404


@pytest.mark.parametrize("number", [2, 20])
def test_lists_and_details_take_the_same_statements_at_any_size(
    alice: Profile, client_of: MakeClient, number: int
) -> None:
    runs = [create_run(agent=make_agent(owner=alice)) for _ in range(number)]
    client = client_of(alice)
    # Check the key, load the page.
    with CaptureQueriesContext(connection) as listing:
        assert len(client.get("/api/generations").data["results"]) == number
    # Check the key, load the run, load its steps.
    with CaptureQueriesContext(connection) as detail:
        client.get(f"/api/generations/{runs[0].pk}")
    counted = [[q["sql"] for q in queries if "rate" not in q["sql"]] for queries in (listing, detail)]
    assert [len(statements) for statements in counted] == [2, 3], counted
