"""A text that the agent told before is refused, and another topic is taken by itself."""

from collections import Counter

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from agents.knowledge.services import save_content
from agents.models import Agent
from agents.services.agents import save_persona
from posts.generation import memory
from posts.generation.engine import advancing, failing
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.engine.flights import Flight
from posts.generation.engine.retaking import MOST_TAKES
from posts.generation.models import Memory, Run, RunStep
from posts.generation.receipts import receipt_of
from posts.generation.services.runs import create_run
from posts.models import Post
from tests.concurrency import run_together
from tests.factories import make_post
from tests.posts.generation.conftest import Script
from tests.posts.generation.scripted import RESERVED, USAGE

TOLD = "Herons fish in shallow water and wait for as long as it takes before they strike."
NEW = "Terns fly from one pole to the other and back every year, which no other animal does."
WIND = "Wind carries the sand of the flats inland, and with it the seeds of everything that grows there."
TAXES = "Every state taxes income in its own way, and the form is due before the end of the year."
DONE, REFUSED = RunStep.State.DONE, RunStep.State.REFUSED


@pytest.fixture(autouse=True)
def _two_topics(wren: Agent, script: Script) -> None:
    save_persona(agent=wren, persona={"topics": ["tides", "wind"]})
    make_post(author=wren.profile, title="Old news", body=TOLD)


def carry(run: Run) -> Run:
    dispatcher = Dispatcher()
    dispatcher.run_until_settled([run.pk])
    dispatcher.close()
    return Run.objects.get(pk=run.pk)


def states(run: Run, take: int) -> dict[str, str]:
    return dict(run.steps.filter(take=take).values_list("name", "state"))


def test_another_topic_is_taken_and_every_try_stays_visible(wren: Agent, script: Script) -> None:
    script.say("description", {"body": TOLD}, {"body": NEW})
    run = carry(create_run(agent=wren))
    assert (run.state, run.take, run.error) == (Run.State.DONE, 2, "")
    assert run.post is not None and run.post.body == NEW
    first, second = states(run, 1), states(run, 2)
    assert first == dict.fromkeys(first, DONE) | {"create_post": REFUSED}
    # Who writes was read once; the topic and all that follows from it a second time.
    assert "load_context" not in first and set(second.values()) == {DONE} and len(second) == 7
    assert run.steps.get(take=1, name="create_post").error == "A post of the agent says the same."
    topics = run.steps.filter(name="fetch_topic").values_list("output__topic", flat=True)
    assert len(set(topics)) == 2


def test_of_a_topic_that_nothing_is_known_about_another_is_taken(
    wren: Agent, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.TEXT_PROVIDER = "posts.generation.providers.offline.OfflineText"
    save_content(agent=None, platform="notes", title="Wind over the flats", text=f"{WIND} {NEW}")
    save_content(agent=None, platform="notes", title="Tides of the estuary", text=f"{TAXES} {NEW}")
    run = carry(create_run(agent=wren))
    assert (run.state, run.take) == (Run.State.DONE, 2), run.error
    assert run.steps.get(take=1, name="description").state == REFUSED
    assert not run.agent.daily_budgets.get().tokens_reserved
    call_command("replay_run", run.pk)
    assert "byte for byte" in capsys.readouterr().out


def test_no_call_is_made_twice_with_the_same_input(wren: Agent, script: Script) -> None:
    script.say("description", {"body": TOLD}, {"body": NEW})
    run = carry(create_run(agent=wren))
    assert script.asked() == Counter(dict.fromkeys(("image_prompt", "title", "description", "generate_image"), 2))
    assert len(script.keys()) == 8
    budget = wren.daily_budgets.get()
    assert (budget.tokens_reserved, budget.tokens_spent) == (0, 8 * USAGE.tokens)
    receipt = receipt_of(Run.objects.for_receipt().get(pk=run.pk))
    assert receipt["tokens"] == 8 * USAGE.tokens
    assert [step["take"] for step in receipt["steps"]] == [1] * 6 + [2] * 7


def test_the_take_that_became_the_post_replays_byte_for_byte(
    wren: Agent, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    script.say("description", {"body": TOLD}, {"body": NEW})
    run = carry(create_run(agent=wren))
    call_command("replay_run", run.pk)
    assert "The same post, byte for byte" in capsys.readouterr().out


def test_it_ends_after_so_many_topics(wren: Agent, script: Script) -> None:
    save_persona(agent=wren, persona={"topics": ["tides", "wind", "lichen", "granite", "foxes"]})
    script.say("description", *[{"body": TOLD}] * 5)
    run = carry(create_run(agent=wren))
    assert (run.state, run.take) == (Run.State.FAILED, MOST_TAKES)
    assert script.asked()["description"] == MOST_TAKES and Post.objects.count() == 1
    # The refused topics are not paid for again by the next run.
    refused = set(Memory.objects.filter(is_refused=True).values_list("text", flat=True))
    assert len(refused) == MOST_TAKES - 1
    again = carry(create_run(agent=wren))
    assert again.steps.get(take=again.take, name="fetch_topic").output["topic"] not in refused


def test_a_topic_that_was_asked_for_is_not_exchanged(wren: Agent, script: Script) -> None:
    script.say("description", {"body": TOLD})
    run = carry(create_run(agent=wren, topic="Lichen on granite"))
    assert (run.state, run.take) == (Run.State.FAILED, 1)
    assert run.error == "create_post: A post of the agent says the same."


def test_words_are_compared_where_no_model_is(wren: Agent, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "local_embedder", lambda: None)
    script.say("description", {"body": TOLD.replace("shallow", "the shallow").upper()}, {"body": NEW})
    assert carry(create_run(agent=wren)).take == 2


def test_an_article_that_repeats_is_refused_before_more_is_spent_on_it(wren: Agent, script: Script) -> None:
    save_content(agent=wren, platform="notes", title="Herons in the shallows", text=TOLD)
    script.say("draft", {"body": TOLD}, {"body": NEW})
    run = carry(create_run(agent=wren, pipeline="article"))
    assert (run.state, run.take) == (Run.State.REVIEW, 2)
    assert states(run, 1) == {
        "fetch_topic": DONE,
        "research": DONE,
        "outline": DONE,
        "draft": REFUSED,
        "image": DONE,
    }
    assert script.asked()["draft"] == 2 and script.asked()["edit"] == 1


def test_what_a_failed_call_reserved_is_settled_when_the_text_was_refused(wren: Agent, script: Script) -> None:
    script.say("draft", {"body": TOLD}, {"body": NEW})
    script.delay(image=0.3)
    script.fail("image", is_retryable=True, is_paid=True)
    run = carry(create_run(agent=wren, pipeline="article"))
    assert (run.state, run.take) == (Run.State.REVIEW, 2)
    assert states(run, 1)["image"] == REFUSED
    budget = wren.daily_budgets.get()
    assert (budget.tokens_reserved, budget.tokens_spent) == (0, 7 * USAGE.tokens + RESERVED.tokens)


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_that_say_the_same_at_once_one_begins_again(wren: Agent, script: Script) -> None:
    save_persona(agent=wren, persona={"topics": ["tides", "wind", "lichen"]})
    script.say("description", *[{"body": NEW}] * 2)
    runs = [create_run(agent=wren) for _ in range(2)]
    run_together(2, lambda number: carry(runs[number]))
    assert Post.objects.filter(body=NEW).count() == 1
    assert sorted(Run.objects.values_list("take", flat=True)) == [1, 2]


class Killed(BaseException):
    """What no code catches: the process is gone."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [False, True])
def test_a_worker_that_dies_while_it_begins_again_costs_nothing(
    wren: Agent, script: Script, monkeypatch: pytest.MonkeyPatch, is_committed: bool
) -> None:
    script.say("description", {"body": TOLD}, {"body": NEW})
    module, name = (advancing, "give_up") if is_committed else (failing, "begin_again")
    original = getattr(module, name)

    def die(flight: Flight) -> None:
        original(flight)
        raise Killed

    run = create_run(agent=wren)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(module, name, die)
        carry(run)
    Run.objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00Z")
    run = carry(run)
    assert (run.state, run.take) == (Run.State.DONE, 2)
    assert script.asked().total() == len(script.keys()) == 8
    assert wren.daily_budgets.get().tokens_reserved == 0
