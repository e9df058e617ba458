import pytest

from agents.models import Agent
from posts.generation.engine import ledger
from posts.generation.engine.ledger import LostLease, Outcome, Request
from posts.generation.models import Run, RunStep
from posts.generation.providers.base import Usage
from posts.generation.services.runs import create_run
from tests.concurrency import run_together
from tests.factories import make_agent


def outcome(run: Run, name: str) -> Outcome:
    return Outcome(step_id=run.steps.get(name=name).pk, input_hash=b"x", output={"done": True})


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
    create_run(agent=wren)
    ledger.claim(worker="first", limit=1)
    assert (ledger.renew(worker="first"), ledger.renew(worker="second")) == (1, 0)


def test_a_finished_step_is_not_written_again(wren: Agent) -> None:
    create_run(agent=wren)
    (run,) = ledger.claim(worker="first", limit=1)
    ledger.finish(run=run, outcomes=[outcome(run, "fetch_topic")])
    with pytest.raises(LostLease):
        ledger.finish(run=run, outcomes=[outcome(run, "fetch_topic")])


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_once_never_get_the_same_run() -> None:
    wanted = {create_run(agent=make_agent()).pk for _ in range(20)}
    claimed = run_together(8, lambda number: [run.pk for run in ledger.claim(worker=f"w{number}", limit=4)])
    taken = [pk for runs in claimed for pk in runs]
    assert len(taken) == len(set(taken))
    rest = [run.pk for run in ledger.claim(worker="last", limit=20)]
    assert {*taken, *rest} == wanted and not {*taken} & {*rest}
