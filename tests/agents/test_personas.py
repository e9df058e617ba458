import pytest

from agents.models import Agent
from agents.services.agents import rollback_persona, save_persona
from tests.concurrency import run_together
from tests.factories import make_agent


def test_an_edit_writes_the_next_version_and_keeps_what_it_does_not_name(wren: Agent) -> None:
    save_persona(agent=wren, persona={"topics": ["birds"], "system": "You watch birds."})
    version = save_persona(agent=wren, persona={"topics": ["wrens"]})
    assert (version.number, version.topics, version.system) == (3, ["wrens"], "You watch birds.")
    wren.refresh_from_db()
    assert wren.persona == version


def test_an_edit_that_changes_nothing_writes_nothing(wren: Agent) -> None:
    first = save_persona(agent=wren, persona={"topics": ["birds"]})
    assert save_persona(agent=wren, persona={"topics": ["birds"]}) == first
    assert wren.persona_versions.count() == 2


def test_a_roll_back_adds_a_version(wren: Agent) -> None:
    old = save_persona(agent=wren, persona={"topics": ["birds"]})
    save_persona(agent=wren, persona={"topics": ["trains"]})
    back = rollback_persona(agent=wren, version=old)
    assert (back.number, back.topics, back.note) == (4, ["birds"], "Back to version 2")


@pytest.mark.django_db(transaction=True)
def test_edits_at_the_same_moment_get_numbers_of_their_own() -> None:
    agent = make_agent()
    versions = run_together(6, lambda i: save_persona(agent=agent, persona={"topics": [f"topic {i}"]}))
    assert sorted(version.number for version in versions) == [2, 3, 4, 5, 6, 7]
