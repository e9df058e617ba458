import threading
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from agents.models import Agent
from posts.generation import providers
from posts.generation.context import agent_context
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.models import Run, RunStep
from posts.generation.pipelines import POST
from posts.generation.services.runs import create_run
from posts.models import Post
from tests.concurrency import wait_until
from tests.factories import make_agent
from tests.posts.generation.conftest import Script
from tests.posts.generation.scripted import RESERVED, USAGE

ASKING_STEPS = {step.name for step in POST.steps if step.asks_provider}


def carry(run: Run) -> Run:
    dispatcher = Dispatcher()
    dispatcher.run_until_settled([run.pk])
    dispatcher.close()
    run.refresh_from_db()
    return run


def leave_behind(run: Run) -> None:
    """Let the lease of a run's worker run out."""
    Run.objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00Z")


def test_a_run_ends_in_a_post_that_says_what_wrote_it(wren: Agent, script: Script) -> None:
    run = carry(create_run(agent=wren, topic="Herons"))
    assert run.state == Run.State.DONE, run.error
    post = Post.objects.get()
    assert run.post == post and post.generated_by == run
    assert (post.title, post.body) == ("Herons at dawn", "Herons stand still. That is the whole trick.")
    assert post.image_alt == "A heron stands in shallow water at dawn."
    assert post.image.storage.exists(post.image.name)
    assert post.is_generated and post.persona_id == wren.persona_id and post.author_id == wren.pk


def test_every_step_records_what_it_took(wren: Agent, script: Script) -> None:
    run = carry(create_run(agent=wren, topic="Herons"))
    steps = {step.name: step for step in run.steps.all()}
    assert {step.state for step in steps.values()} == {RunStep.State.DONE}
    assert all(step.started_at and step.finished_at and step.input_hash for step in steps.values())
    title = steps["title"]
    assert (title.attempt, title.tokens_in, title.tokens_out, title.cost_micros) == (1, 10, 20, 300)
    assert title.prompt is not None and title.prompt["topic"] == "Herons"
    assert title.answer == title.output == {"title": "Herons at dawn"}


def test_steps_that_do_not_need_each_other_run_at_the_same_time(wren: Agent, script: Script) -> None:
    together = ("image_prompt", "title", "description")
    for step in together:
        script.hold(step)
    run = create_run(agent=wren, topic="Herons")

    def release() -> None:
        wait_until(lambda: script.asked() == Counter(together))
        for step in together:
            script.release(step)

    thread = threading.Thread(target=release)
    thread.start()
    assert carry(run).state == Run.State.DONE
    thread.join()


def test_a_provider_cannot_run_a_query(wren: Agent, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    def curious(*args: object, **kwargs: object) -> None:
        Post.objects.count()

    monkeypatch.setattr(providers.text_provider(), "write", curious)
    run = carry(create_run(agent=wren, topic="Herons"))
    assert run.state == Run.State.FAILED and "No query while a provider is awaited" in run.error


def test_finished_steps_are_not_asked_for_again_by_the_next_worker(wren: Agent, script: Script) -> None:
    script.hold("generate_image")
    run = create_run(agent=wren, topic="Herons")
    first = Dispatcher()
    first.take([run.pk])
    while run.steps.filter(state=RunStep.State.DONE).count() < 5 or not script.asked()["generate_image"]:
        first._turn(is_sweeping=False)
    leave_behind(run)
    script.release("generate_image")
    assert carry(run).state == Run.State.DONE
    assert script.asked() == Counter(dict.fromkeys(ASKING_STEPS, 1) | {"generate_image": 2})


def test_a_step_that_may_be_tried_again_is(wren: Agent, script: Script) -> None:
    script.fail("title", is_retryable=True, retry_after=0.0)
    assert carry(create_run(agent=wren, topic="Herons")).state == Run.State.DONE
    assert script.asked()["title"] == 2 and script.asked()["description"] == 1


def test_a_step_that_cannot_be_tried_again_fails_the_run(wren: Agent, script: Script) -> None:
    script.fail("title", is_retryable=False)
    run = carry(create_run(agent=wren, topic="Herons"))
    assert (run.state, run.error) == (Run.State.FAILED, "title: Scripted failure.")
    assert not Post.objects.exists()
    # What came back beside it was paid for and is kept.
    assert run.steps.get(name="description").state == RunStep.State.DONE


def test_a_failed_run_settles_its_budget(wren: Agent, script: Script) -> None:
    script.fail("title", is_retryable=False, is_paid=True)
    script.fail("description", is_retryable=False, is_paid=False)
    # After both have failed: nothing more is started.
    script.delay(image_prompt=0.3)
    carry(create_run(agent=wren, topic="Herons"))
    budget = wren.daily_budgets.get()
    assert (budget.tokens_reserved, budget.micros_reserved) == (0, 0)
    assert budget.tokens_spent == USAGE.tokens + RESERVED.tokens


def test_a_run_beyond_the_budget_fails_before_any_call(wren: Agent, script: Script, settings: Settings) -> None:
    settings.DAILY_TOKENS = RESERVED.tokens * 3 - 1
    run = carry(create_run(agent=wren, topic="Herons"))
    assert run.state == Run.State.FAILED and "budget" in run.error
    assert not script.asked()


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_providers_are_awaited(wren: Agent, script: Script) -> None:
    script.hold("title")
    run = create_run(agent=wren, topic="Herons")

    def work() -> None:
        dispatcher = Dispatcher()
        dispatcher.run_until_settled([run.pk])
        dispatcher.close()

    def others() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            return int(cursor.fetchone()[0])

    before = others()
    worker = threading.Thread(target=work)
    worker.start()
    wait_until(lambda: script.asked()["title"] and script.asked()["generate_image"])
    wait_until(lambda: others() <= before)
    script.release("title")
    worker.join(20)
    run.refresh_from_db()
    assert run.state == Run.State.DONE


@pytest.mark.django_db(transaction=True)
def test_a_warm_run_takes_at_most_25_statements(wren: Agent, script: Script) -> None:
    # Another agent's: the scripted providers know one text, and nobody tells the same twice.
    carry(create_run(agent=make_agent(), topic="Herons"))
    agent_context(wren)
    dispatcher = Dispatcher()
    with CaptureQueriesContext(connection) as queries:
        run = create_run(agent=wren, topic="Terns over the harbour")
        dispatcher.run_until_settled([run.pk])
        run.refresh_from_db()
    dispatcher.close()
    assert run.state == Run.State.DONE
    # Usually 20: results that arrive together are written together, so the number depends on the moment.
    # Transaction control counts too; the last one is the test's own.
    statements = [query["sql"] for query in queries.captured_queries[:-1]]
    assert len(statements) <= 25, "\n".join(statements)


def test_a_text_that_the_agent_wrote_before_is_refused(wren: Agent, script: Script) -> None:
    assert carry(create_run(agent=wren, topic="Herons")).state == Run.State.DONE
    again = carry(create_run(agent=wren, topic="Taxes of the northern counties"))
    assert again.state == Run.State.FAILED and "says the same" in again.error
    assert Post.objects.count() == 1


def test_a_run_that_never_comes_to_an_end_is_given_up(wren: Agent, script: Script) -> None:
    run = create_run(agent=wren, topic="Herons")
    Run.objects.filter(pk=run.pk).update(attempt=50)
    assert carry(run).state == Run.State.FAILED and "without coming to an end" in run.error
    assert not script.asked()
