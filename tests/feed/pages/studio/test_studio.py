"""The studio: only one's own agents, every version kept, one run per click."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, PersonaVersion, Profile
from agents.services.agents import save_persona
from posts.generation.models import Run
from posts.generation.services.runs import create_run
from posts.models import Post
from tests.factories import make_agent, make_reading

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
PERSONA = {"system": "You are a wren.", "topics": "song\nmoss\n", "post_examples": "One.\n\nTwo lines.\n---\nThree."}


@pytest.mark.parametrize("count", [2, 20])
@pytest.mark.parametrize(
    ("path", "statements"),
    [
        # The user; the agents; the runs that wait; all runs; what is unread, on this page and all others.
        ("/studio/", 5),
        # The user; the agent; its runs.
        ("/studio/@wren", 4),
        # The user; the agent with its persona; the versions.
        ("/studio/@wren/persona", 4),
        # The user; the run; its steps.
        ("/studio/runs/{run}", 4),
    ],
)
def test_a_page_takes_as_many_statements_whatever_its_size(
    path: str, statements: int, count: int, alice: Profile, wren: Agent, browser_of: BrowserOf
) -> None:
    for number in range(count):
        make_agent(owner=alice)
        save_persona(agent=wren, persona={"topics": [f"topic {number}"]})
        run = create_run(agent=wren, topic=f"Topic {number}")
    client = browser_of(alice)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path.format(run=run.pk))
    assert response.status_code == 200
    assert len(queries) == statements, [query["sql"] for query in queries]


def test_strangers_and_owners_of_others_are_kept_out(
    alice: Profile, bob: Profile, wren: Agent, browser_of: BrowserOf
) -> None:
    run = create_run(agent=wren)
    for path in ("/studio/", "/studio/@wren", "/studio/@wren/persona", f"/studio/runs/{run.pk}"):
        assert browser_of(None).get(path)["Location"].startswith("/log-in")
    client = browser_of(bob)
    for path in ("/studio/@wren", "/studio/@wren/persona", "/studio/@wren/persona/2"):
        assert client.get(path).status_code == 403, path
    for path in (
        "/studio/@wren/write",
        "/studio/@wren/wake",
        "/studio/@wren/persona",
        "/studio/@wren/persona/1/roll-back",
    ):
        assert client.post(path).status_code == 403, path
    assert client.get(f"/studio/runs/{run.pk}").status_code == 404
    assert client.post(f"/studio/runs/{run.pk}/cancel").status_code == 404
    assert Run.objects.get().state == Run.State.QUEUED
    assert "/studio/@wren" not in client.get("/studio/").text


def test_making_an_agent_and_giving_it_a_persona(alice: Profile, browser_of: BrowserOf) -> None:
    client = browser_of(alice)
    assert client.post("/studio/new", {"handle": "dunnock"})["Location"] == "/studio/@dunnock/persona"
    taken = client.post("/studio/new", {"handle": "Dunnock", "bio": "Kept as typed"})
    assert taken.status_code == 422 and "Kept as typed" in taken.text
    client.post("/studio/@dunnock/persona", PERSONA)
    persona = Agent.objects.for_detail(None).with_handle("dunnock").get().persona
    assert persona and persona.number == 2
    assert persona.topics == ["song", "moss"] and persona.post_examples == ["One.\n\nTwo lines.", "Three."]
    edited = client.get("/studio/@dunnock/persona").text
    assert "Two lines.\n---\nThree.</textarea>" in edited


def test_what_a_version_changed_and_going_back_to_the_one_before(
    alice: Profile, wren: Agent, browser_of: BrowserOf
) -> None:
    client = browser_of(alice)
    client.post("/studio/@wren/persona", PERSONA)
    client.post("/studio/@wren/persona", {**PERSONA, "topics": "song\n<b>bark</b>"})
    changes = client.get("/studio/@wren/persona/3").text
    assert "<ins>+    &#34;&lt;b&gt;bark&lt;/b&gt;&#34;</ins>" in changes and "moss" in changes
    client.post("/studio/@wren/persona/2/roll-back")
    wren.refresh_from_db()
    assert PersonaVersion.objects.get(pk=wren.persona_id).topics == ["song", "moss"]
    assert client.get("/studio/@wren/persona/99").status_code == 404


@pytest.mark.parametrize(
    ("field", "text"), [("topics", "x" * 201), ("adjectives", "\n".join(["loud"] * 101)), ("system", "a\x00b")]
)
def test_a_persona_beyond_the_limits_of_the_api_is_refused_and_kept_as_typed(
    field: str, text: str, alice: Profile, wren: Agent, browser_of: BrowserOf
) -> None:
    response = browser_of(alice).post("/studio/@wren/persona", {**PERSONA, field: text})
    assert response.status_code == 422
    assert 'class="error"' in response.text and "You are a wren." in response.text or field == "system"
    assert PersonaVersion.objects.filter(agent=wren).count() == 1


def test_one_click_or_two_start_one_run(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    client = browser_of(alice)
    form = {"topic": "Moss", "pipeline": "post", "layer": "0", "token": "abc"}
    first, second = (client.post("/studio/@wren/write", form)["Location"] for _ in range(2))
    run = Run.objects.get()
    assert first == second == f"/studio/runs/{run.pk}"
    assert (run.topic, run.requested_by) == ("Moss", alice)


def test_a_resting_agent_does_not_write(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    client = browser_of(alice)
    client.post("/studio/@wren/wake", {"active": "no"})
    client.post("/studio/@wren/write", {"pipeline": "post", "layer": "0", "token": "abc"})
    assert "is resting" in client.get("/studio/@wren").text
    assert not Run.objects.exists()


def test_an_owner_lets_an_agent_answer_messages(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    client = browser_of(alice)
    assert "Let it answer by itself" in client.get("/studio/@wren").text
    client.post("/studio/@wren/wake", {"answers": "yes"})
    assert "Stop answering" in client.get("/studio/@wren").text
    wren.refresh_from_db()
    assert wren.answers_messages and wren.is_active


@pytest.mark.django_db(transaction=True)
def test_a_run_is_watched_until_its_post_is_there(
    alice: Profile, wren: Agent, browser_of: BrowserOf, carry: Callable[[int], None]
) -> None:
    client = browser_of(alice)
    make_reading(wren, "Herons")
    run = create_run(agent=wren, topic="Herons")
    part = client.get(f"/studio/runs/{run.pk}", headers={"HX-Request": "true"}).text
    assert 'hx-trigger="load delay:2000ms"' in part and "<html" not in part
    carry(run.pk)
    done = client.get(f"/studio/runs/{run.pk}").text
    assert "hx-trigger" not in done
    assert f'<a href="/posts/{Post.objects.get().pk}">Read the post</a>' in done


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("decision", "state"), [("approve", Run.State.DONE), ("reject", Run.State.REJECTED)])
def test_an_article_waits_for_its_reviewer(
    decision: str, state: str, alice: Profile, wren: Agent, browser_of: BrowserOf, carry: Callable[[int], None]
) -> None:
    client = browser_of(alice)
    make_reading(wren, "Herons")
    run = create_run(agent=wren, pipeline="article", topic="Herons")
    carry(run.pk)
    assert "Waiting for you" in client.get("/studio/").text
    waiting = client.get(f"/studio/runs/{run.pk}").text
    assert "Approve and publish" in waiting and 'hx-trigger="load delay:10000ms"' in waiting
    client.post(f"/studio/runs/{run.pk}/{decision}", {"reason": "Too \x00 long"})
    if decision == "approve":
        carry(run.pk)
    run.refresh_from_db()
    assert run.state == state
    again = client.post(f"/studio/runs/{run.pk}/{decision}")
    assert again.status_code == 302
    assert "notice error" in client.get(f"/studio/runs/{run.pk}").text
