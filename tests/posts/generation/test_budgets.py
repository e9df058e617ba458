import datetime as dt

import pytest

from agents.models import Agent
from posts.generation.budgets import caps_of
from posts.generation.engine import ledger
from posts.generation.engine.ledger import BudgetExceeded, LostLease, Outcome, Request
from posts.generation.models import Cadence, DailyBudget, Run, RunStep
from posts.generation.providers.base import Usage
from posts.generation.services.runs import cancel_run, create_run
from tests.concurrency import run_together

ESTIMATE = Usage(tokens_in=60, tokens_out=40, cost_micros=1000)
USED = Usage(tokens_in=5, tokens_out=6, cost_micros=70)


def claim(run: Run) -> Run:
    (claimed,) = ledger.claim(worker="test", limit=1, run_ids=[run.pk])
    return claimed


def start(run: Run, name: str = "title", *, token_cap: int = 10_000, micro_cap: int = 100_000) -> RunStep:
    step = run.steps.get(name=name)
    request = Request(step_id=step.pk, input_hash=b"x", prompt={}, estimate=ESTIMATE)
    ledger.start(run=run, requests=[request], token_cap=token_cap, micro_cap=micro_cap)
    return step


def budget_of(agent: Agent) -> tuple[int, int, int, int]:
    budget = DailyBudget.objects.get(agent=agent)
    return budget.tokens_reserved, budget.tokens_spent, budget.micros_reserved, budget.micros_spent


@pytest.mark.django_db(transaction=True)
def test_thirty_runs_at_once_cannot_overspend_a_cap_of_ten(wren: Agent) -> None:
    runs = [claim(create_run(agent=wren)) for _ in range(30)]

    def try_to_start(number: int) -> bool:
        try:
            start(runs[number], token_cap=10 * ESTIMATE.tokens)
        except BudgetExceeded:
            return False
        return True

    assert sum(run_together(30, try_to_start)) == 10
    assert budget_of(wren)[0] == 10 * ESTIMATE.tokens


@pytest.mark.django_db(transaction=True)
def test_settling_at_once_keeps_the_books_exact(wren: Agent) -> None:
    runs = [claim(create_run(agent=wren)) for _ in range(20)]

    def call(number: int) -> None:
        step = start(runs[number])
        ledger.finish(
            run=runs[number], outcomes=[Outcome(step_id=step.pk, input_hash=b"x", output={}, model="m", usage=USED)]
        )

    run_together(20, call)
    assert budget_of(wren) == (0, 20 * USED.tokens, 0, 20 * USED.cost_micros)


def test_money_is_capped_as_tokens_are(wren: Agent) -> None:
    with pytest.raises(BudgetExceeded):
        start(claim(create_run(agent=wren)), micro_cap=999)
    assert not DailyBudget.objects.exists()


@pytest.mark.parametrize("is_settled", [False, True])
def test_what_is_reserved_and_what_is_spent_count_against_both_caps(wren: Agent, is_settled: bool) -> None:
    first, second = claim(create_run(agent=wren)), claim(create_run(agent=wren))
    step = start(first)
    if is_settled:
        outcome = Outcome(step_id=step.pk, input_hash=b"x", output={}, usage=ESTIMATE)
        ledger.finish(run=first, outcomes=[outcome])
    for caps in ({"token_cap": 2 * ESTIMATE.tokens - 1}, {"micro_cap": 2 * ESTIMATE.cost_micros - 1}):
        with pytest.raises(BudgetExceeded):
            start(second, **caps)
    start(second, token_cap=2 * ESTIMATE.tokens, micro_cap=2 * ESTIMATE.cost_micros)


def test_a_call_whose_end_nobody_saw_counts_as_spent(wren: Agent) -> None:
    run = claim(create_run(agent=wren))
    start(run)
    Run.objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00Z")
    claim(run)
    assert budget_of(wren) == (0, ESTIMATE.tokens, 0, ESTIMATE.cost_micros)


def test_a_cancelled_call_counts_as_spent_once(wren: Agent) -> None:
    run = claim(create_run(agent=wren))
    step = start(run)
    cancel_run(run=run)
    with pytest.raises(LostLease):
        ledger.finish(run=run, outcomes=[Outcome(step_id=step.pk, input_hash=b"x", output={}, usage=USED)])
    assert budget_of(wren) == (0, ESTIMATE.tokens, 0, ESTIMATE.cost_micros)


def test_yesterdays_reservation_is_settled_on_yesterdays_row(wren: Agent) -> None:
    run = claim(create_run(agent=wren))
    step = start(run)
    yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    DailyBudget.objects.update(day=yesterday)
    RunStep.objects.filter(pk=step.pk).update(reserved_on=yesterday)
    ledger.finish(run=run, outcomes=[Outcome(step_id=step.pk, input_hash=b"x", output={}, usage=USED)])
    assert DailyBudget.objects.get(day=yesterday).tokens_spent == USED.tokens


def test_an_agents_own_caps_replace_the_houses(wren: Agent) -> None:
    Cadence.objects.create(agent=wren, daily_tokens=7)
    agent = Agent.objects.select_related("cadence").get(pk=wren.pk)
    assert caps_of(agent) == (7, 2_000_000)
