from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client

from agents.models import Agent
from performance import readiness
from posts.generation.models import Run
from posts.generation.services.runs import create_run
from tests.factories import make_agent


def is_red() -> bool:
    return not readiness.readiness()["checks"]["generation"]["ok"]


def due_for(run: Run, *, seconds: float, state: str = Run.State.QUEUED) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=seconds), state=state)


@pytest.mark.parametrize("state", [Run.State.QUEUED, Run.State.RUNNING])
def test_runs_that_nobody_takes_show_within_a_minute(wren: Agent, client: Client, state: str) -> None:
    run = create_run(agent=wren)
    due_for(run, seconds=25, state=state)
    assert not is_red()
    # Its worker wrote down a lease of 15 seconds a moment before it went deaf.
    due_for(run, seconds=44, state=state)
    assert is_red() and client.get("/health/ready").json() == {"status": "degraded"}


def test_runs_that_wait_for_a_slot_of_a_worker_that_hears_are_no_finding(wren: Agent) -> None:
    due_for(create_run(agent=wren), seconds=600)
    carried = create_run(agent=make_agent())
    due_for(carried, seconds=-5, state=Run.State.RUNNING)
    assert not is_red()
    due_for(carried, seconds=5, state=Run.State.RUNNING)
    assert is_red()


@pytest.mark.parametrize("state", [Run.State.REVIEW, *Run.FINAL])
def test_runs_that_wait_for_nobody_are_no_finding(wren: Agent, state: str) -> None:
    due_for(create_run(agent=wren), seconds=600, state=state)
    assert not is_red()
