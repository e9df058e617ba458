"""kill -9, SIGSTOP and lost connections at every step of a run: no post lost or doubled, no step paid twice."""

import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection

from agents.inbox.models import Message
from agents.inbox.services.conversations import start_conversation
from agents.services.agents import update_agent
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.models import DailyBudget, Run, RunStep
from posts.generation.pipelines import PIPELINES
from posts.generation.services.answers import start_due_answers
from posts.generation.services.runs import approve_run, create_run
from posts.models import Post
from tests.concurrency import wait_until
from tests.factories import make_agent, make_person
from tests.faults import writing
from tests.posts.generation.conftest import Script

pytestmark = pytest.mark.django_db(transaction=True)

OVERRIDDEN = ("TEXT_PROVIDER", "IMAGE_PROVIDER", "MEDIA_ROOT", "RUN_LEASE_SECONDS")
CASES = [
    (pipeline.name, step.name, point)
    for pipeline in PIPELINES.values()
    for step in pipeline.steps
    for point in writing.POINTS
    if step.name != "review" or point == "before"
]
# One case of each kind of step in the ordinary suite.
SHORT = [case for case in CASES if case[0] == "post" and case[1] in ("fetch_topic", "title", "create_post")]
SHORT += [("answer", "send_message", "during")]
FULL_MATRIX_RUNS = 200


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "point" not in metafunc.fixturenames:
        return
    is_full = metafunc.config.getoption("--full", default=False)
    cases = (CASES * (FULL_MATRIX_RUNS // len(CASES) + 1))[:FULL_MATRIX_RUNS] if is_full else SHORT
    ids = [f"{'-'.join(case)}-{number}" for number, case in enumerate(cases)]
    metafunc.parametrize(("pipeline", "step", "point"), cases, ids=ids)


@pytest.fixture
def workers() -> Iterator[list[BaseProcess]]:
    """Collect processes that are killed when the test is over."""
    started: list[BaseProcess] = []
    yield started
    for process in started:
        process.kill()
        process.join(10)


def start(workers: list[BaseProcess], **fault: str) -> BaseProcess:
    overrides: dict[str, Any] = {name: getattr(django_settings, name) for name in OVERRIDDEN}
    process = writing.start(connection.settings_dict["NAME"], overrides, **fault)
    workers.append(process)
    return process


def finish(run: Run, *, until_approved: bool = False) -> None:
    """Let a worker take a run over whose lease has run out, through its review if there is one."""
    Run.objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00Z")
    dispatcher = Dispatcher()
    dispatcher.run_until_settled([run.pk])
    run.refresh_from_db()
    if run.state == Run.State.REVIEW:
        approve_run(run=run, reviewer=None)
        if not until_approved:
            dispatcher.run_until_settled([run.pk])
    dispatcher.close()
    run.refresh_from_db()


def check(run: Run, script: Script) -> None:
    """Check that a run has one post or message, a repeated call the key of the first, and that the books balance."""
    assert run.state == Run.State.DONE, run.error
    if run.conversation_id:
        assert list(Message.objects.filter(sender=run.agent.pk)) == [run.reply] and not start_due_answers()
    else:
        made = Post.objects.filter(generated_by=run)
        assert list(made) == list(Post.objects.filter(author=run.agent.pk)) == [run.post]
    assert set(run.steps.values_list("state", flat=True)) == {RunStep.State.DONE}
    assert len(script.keys()) == sum(step.asks_provider for step in PIPELINES[run.pipeline].steps)
    budget = DailyBudget.objects.get(agent=run.agent_id)
    assert (budget.tokens_reserved, budget.micros_reserved) == (0, 0)


def prepared_run(pipeline: str, step: str) -> Run:
    """Make a run that will come to this step without a person."""
    agent = make_agent()
    if pipeline == "answer":
        update_agent(agent=agent, answers_messages=True)
        start_conversation(sender=make_person(), recipient=agent.profile, body="When do herons fish?")
        (run,) = start_due_answers()
        return run
    run = create_run(agent=agent, pipeline=pipeline, topic="Herons")
    if step == "publish":
        finish(run, until_approved=True)
    return run


def test_a_killed_worker_loses_and_doubles_nothing(
    script: Script, workers: list[BaseProcess], pipeline: str, step: str, point: str
) -> None:
    run = prepared_run(pipeline, step)
    process = start(workers, pipeline=pipeline, step=step, point=point)
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    finished = run.steps.filter(state=RunStep.State.DONE).values_list("name", flat=True)
    paid = {name: script.asked()[name] for name in finished}
    finish(run)
    check(run, script)
    # Calls that were under way, or whose answers died with the worker, are made again; no other is.
    assert {name: script.asked()[name] for name in paid} == paid


def test_a_lost_connection_costs_nothing(script: Script, pipeline: str, step: str, point: str) -> None:
    run = prepared_run(pipeline, step)
    cuts: list[int] = []

    def cut() -> None:
        if not cuts and connection.connection is not None:
            cuts.append(connection.connection.info.backend_pid)
            with psycopg.connect(**psql_parameters()) as other:
                other.execute("SELECT pg_terminate_backend(%s)", cuts)

    writing.arrange(PIPELINES[pipeline][step], point, cut)
    try:
        finish(run)
    finally:
        writing.restore()
    check(run, script)
    assert script.asked().total() == len(script.keys())


def psql_parameters() -> dict[str, Any]:
    parameters = connection.get_connection_params()
    return {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}


def test_a_worker_that_was_paused_past_its_lease_writes_nothing(
    script: Script, workers: list[BaseProcess], settings: Any
) -> None:
    settings.RUN_LEASE_SECONDS = 0.6
    script.hold("title")
    run = create_run(agent=make_agent(), topic="Herons")
    paused = start(workers)
    wait_until(lambda: script.asked()["title"])
    wait_until(lambda: run.steps.filter(state="done").count() == 5)
    os.kill(paused.pid or 0, signal.SIGSTOP)
    start(workers)
    wait_until(lambda: script.asked()["title"] == 2)
    script.release("title")
    wait_until(lambda: Run.objects.filter(pk=run.pk, state="done").exists())
    before = snapshot(run)
    os.kill(paused.pid or 0, signal.SIGCONT)
    wait_until(lambda: script.answered()["title"] == 2)
    # Awake again for longer than its next heartbeat takes to come.
    time.sleep(0.6)
    assert snapshot(run) == before and Post.objects.count() == 1


def snapshot(run: Run) -> list[Any]:
    return [*Run.objects.filter(pk=run.pk).values(), *RunStep.objects.filter(run=run).order_by("pk").values()]
