from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.knowledge.services import save_content
from agents.models import Agent
from agents.services.agents import save_persona
from posts.generation.context import agent_context, agent_ids
from tests.factories import make_agent


def test_a_cold_context_takes_one_statement_and_a_warm_one_none(wren: Agent) -> None:
    for number in range(3):
        save_content(agent=wren, platform="notes", title=f"Note {number}", text=f"Herons fish alone, note {number}.")
    with CaptureQueriesContext(connection) as cold:
        context = agent_context(wren)
    with CaptureQueriesContext(connection) as warm:
        assert agent_context(wren) == context
    assert (len(cold), len(warm)) == (1, 0)
    assert context["knowledge"] == {"count": 3, "titles": ["Note 2", "Note 1", "Note 0"]}


@pytest.mark.django_db(transaction=True)
def test_a_new_persona_is_in_the_context_at_once(wren: Agent) -> None:
    agent_context(wren)
    save_persona(agent=wren, persona={"topics": ["terns"]})
    assert agent_context(wren)["topics"] == ["terns"]


@pytest.mark.django_db(transaction=True)
def test_new_knowledge_is_in_the_context_at_once(wren: Agent) -> None:
    agent_context(wren)
    save_content(agent=wren, platform="notes", title="Terns", text="Terns fly far.")
    assert agent_context(wren)["knowledge"]["count"] == 1


def test_ids_are_found_whatever_the_case_of_the_handle(wren: Agent, django_assert_num_queries: Any) -> None:
    ids = agent_ids("Wren")
    assert ids == {"agent_id": wren.pk, "owner_id": wren.owner_id}
    with django_assert_num_queries(0):
        assert agent_ids("wren") == ids


@pytest.mark.django_db(transaction=True)
def test_over_a_days_mix_more_than_nine_of_ten_contexts_are_cached() -> None:
    agents = [make_agent() for _ in range(5)]
    with CaptureQueriesContext(connection) as queries:
        for hour in range(24):
            for agent in agents:
                # A post and an article an hour ask for it, and twice a day something changes.
                agent_context(agent)
                agent_context(agent)
            if hour in (9, 17):
                save_content(agent=agents[0], platform="notes", title=f"Note {hour}", text=f"Herons at {hour}.")
    loads = sum("knowledge_titles" in query["sql"] for query in queries)
    assert loads == len(agents) + 2
    assert loads / (24 * 2 * len(agents)) < 0.1
