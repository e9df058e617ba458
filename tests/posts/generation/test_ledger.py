from typing import Any

import pytest

from agents.models import Agent
from agents.services.agents import save_persona
from posts.generation.budgets import caps_of
from posts.generation.engine import ledger
from posts.generation.engine.flights import Flight
from posts.generation.engine.ledger import LostLease, Outcome, Request
from posts.generation.models import Run, RunStep
from posts.generation.providers.base import Usage
from posts.generation.services.runs import create_run
from tests.concurrency import run_together
from tests.factories import make_agent

USAGE = Usage(tokens_in=5, tokens_out=5, cost_micros=7)


def outcome(run: Run, name: str) -> Outcome:
    return Outcome(step_id=run.steps.get(name=name).pk, input_hash=b"x", output={"done": True}, usage=USAGE)


def take_over(run: Run) -> Run:
    Run.objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00Z")
    (claimed,) = ledger.claim(worker="second", limit=1)
    return claimed


def test_a_run_is_claimed_once_until_its_lease_is_over(wren: Agent) -> None:
    run = create_run(agent=wren)
    (first,) = ledger.claim(worker="first", limit=5)
    assert ledger.claim(worker="second", limit=5) == []
    assert take_over(run).fencing_token == first.fencing_token + 1


def test_the_holder_of_an_old_token_can_write_nothing(wren: Agent) -> None:
    create_run(agent=wren)
    (old,) = ledger.claim(worker="first", limit=1)
    new = take_over(old)
    request = Request(step_id=old.steps.get(name="title").pk, input_hash=b"x", prompt={}, estimate=Usage())
    with pytest.raises(LostLease):
        ledger.finish(run=old, outcomes=[outcome(old, "fetch_topic")])
    with pytest.raises(LostLease):
        ledger.start(run=old, requests=[request], token_cap=1, micro_cap=1)
    assert set(new.steps.values_list("state", flat=True)) == {RunStep.State.WAITING}


def test_a_heartbeat_prolongs_only_what_one_holds(wren: Agent) -> None:
    carried, dropped = create_run(agent=wren), create_run(agent=wren)
    ledger.claim(worker="first", limit=2)
    prolonged = [ledger.renew(worker=worker, run_ids=[carried.pk]) for worker in ("first", "second")]
    assert prolonged == [1, 0]
    # What the worker let go of is not held for ever by the work that it does for others.
    carried.refresh_from_db()
    dropped.refresh_from_db()
    assert carried.lease_until > dropped.lease_until


def test_a_result_whose_commit_was_not_heard_of_can_be_sent_again(wren: Agent) -> None:
    create_run(agent=wren)
    (run,) = ledger.claim(worker="first", limit=1)
    request = Request(step_id=run.steps.get(name="title").pk, input_hash=b"x", prompt={}, estimate=USAGE)
    ledger.start(run=run, requests=[request], token_cap=100, micro_cap=100)
    for _ in range(2):
        ledger.finish(run=run, outcomes=[outcome(run, "title")])
    budget = wren.daily_budgets.get()
    assert (budget.tokens_reserved, budget.tokens_spent) == (0, USAGE.tokens)


def test_another_result_of_a_finished_step_is_refused(wren: Agent) -> None:
    create_run(agent=wren)
    (run,) = ledger.claim(worker="first", limit=1)
    ledger.finish(run=run, outcomes=[outcome(run, "fetch_topic")])
    other = outcome(run, "fetch_topic")
    other.input_hash = b"y"
    with pytest.raises(LostLease):
        ledger.finish(run=run, outcomes=[other])


def test_a_claimed_run_needs_no_further_query(wren: Agent, django_assert_num_queries: Any) -> None:
    save_persona(agent=wren, persona={"topics": ["herons"]})
    created = create_run(agent=Agent.objects.get(pk=wren.pk), topic="Herons", idempotency_key="once")
    # One for the claim and all that it brings.
    with django_assert_num_queries(1):
        (run,) = ledger.claim(worker="first", limit=1)
        flight = Flight.of(run)
        assert (run.agent.profile.handle, run.persona and run.persona.topics) == ("wren", ["herons"])
        assert caps_of(run.agent) == (200_000, 2_000_000)
        assert [step.name for step in flight.ready()] == ["fetch_topic", "load_context"]
    loaded = Run.objects.get(pk=run.pk)
    for field in ("state", "topic", "attempt", "started_at", "lease_until", "idempotency_key"):
        assert getattr(run, field) == getattr(loaded, field), field
    assert created.created_at == loaded.created_at


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_once_never_get_the_same_run() -> None:
    wanted = {create_run(agent=make_agent()).pk for _ in range(20)}
    claimed = run_together(8, lambda number: [run.pk for run in ledger.claim(worker=f"w{number}", limit=4)])
    taken = [pk for runs in claimed for pk in runs]
    assert len(taken) == len(set(taken))
    rest = [run.pk for run in ledger.claim(worker="last", limit=20)]
    assert {*taken, *rest} == wanted and not {*taken} & {*rest}
