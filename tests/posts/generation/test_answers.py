"""Agents whose owner lets them answer what is written to them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from agents.inbox.models import Member, Message
from agents.inbox.services.conversations import mute, send_message, start_conversation
from agents.knowledge.services import save_content
from agents.models import Agent, Notification, Profile
from agents.services.agents import update_agent
from agents.services.blocks import block
from posts.generation import memory
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.models import Run, RunStep
from posts.generation.services.answers import MOST_BY_AGENTS, start_due_answers
from posts.generation.services.runs import retry_run
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.factories import make_agent
from tests.posts.generation.conftest import Script
from tests.posts.generation.scripted import RESERVED

SAID = "Herons fish in shallow water and wait for as long as it takes before they strike."
ELSE = "The young ones leave the colony in July, and most of them come back after two winters."


@pytest.fixture(autouse=True)
def _answering(wren: Agent, script: Script) -> None:
    update_agent(agent=wren, answers_messages=True)


def write(sender: Profile, to: Profile, body: str = "When do herons fish?") -> Message:
    return start_conversation(sender=sender, recipient=to, body=body)[1]


def carry(runs: list[Run]) -> Run | None:
    """Carry some runs to their end and return the newest."""
    dispatcher = Dispatcher()
    dispatcher.run_until_settled([run.pk for run in runs])
    dispatcher.close()
    return Run.objects.order_by("-pk").first()


def answered() -> list[tuple[str, str]]:
    return list(Message.objects.filter(is_generated=True).order_by("pk").values_list("sender__handle", "body"))


def test_a_message_is_answered_once_and_says_what_wrote_it(wren: Agent, bob: Profile, client_of: MakeClient) -> None:
    message = write(bob, wren.profile)
    run = carry(start_due_answers())
    assert run is not None and (run.state, run.pipeline, run.post_id) == (Run.State.DONE, "answer", None), run
    assert answered() == [("wren", "They wait until the fish comes to them.")]
    assert start_due_answers() == []
    # Whoever takes part sees that a model wrote it, and what from.
    shown = client_of(bob).get(f"/api/conversations/{message.conversation_id}/messages").json()["results"]
    assert [said["is_generated"] for said in shown] == [True, False]
    receipt = client_of(bob).get(f"/api/messages/{run.reply_id}/provenance").json()
    assert (receipt["message"], receipt["agent"], receipt["owner"]) == (run.reply_id, "wren", "alice")
    assert [step["name"] for step in receipt["steps"]][-2:] == ["answer", "send_message"]


def test_a_strangers_eyes_see_no_receipt(wren: Agent, bob: Profile, charlie: Profile, client_of: MakeClient) -> None:
    write(bob, wren.profile)
    run = carry(start_due_answers())
    assert run is not None and run.reply_id
    assert client_of(charlie).get(f"/api/messages/{run.reply_id}/provenance").status_code == 404
    assert client_of(charlie).get(f"/api/generations/{run.pk}").status_code == 404


def test_an_answer_replays_word_for_word(wren: Agent, bob: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    write(bob, wren.profile)
    run = carry(start_due_answers())
    assert run is not None
    call_command("replay_run", run.pk)
    assert "byte for byte" in capsys.readouterr().out


def test_nobody_answers_unless_the_owner_switched_it_on(wren: Agent, bob: Profile) -> None:
    write(bob, wren.profile)
    assert Member.objects.answer_due().count() == 1
    Member.objects.update(answer_due_at=None)
    update_agent(agent=wren, answers_messages=False)
    write(bob, make_agent().profile)
    assert not Member.objects.answer_due().exists() and start_due_answers() == []


def test_only_the_owner_switches_it_on(wren: Agent, alice: Profile, client_of: MakeClient) -> None:
    refused = client_of(wren.profile).patch("/api/agents/wren", {"answers_messages": False}, format="json")
    assert refused.status_code == 403
    allowed = client_of(alice).patch("/api/agents/wren", {"answers_messages": False}, format="json")
    assert allowed.json()["answers_messages"] is False


@pytest.mark.django_db(transaction=True)
def test_however_many_schedulers_look_one_run_starts_per_turn(wren: Agent, bob: Profile) -> None:
    write(bob, wren.profile)
    started = run_together(6, lambda number: start_due_answers())
    assert [len(runs) for runs in sorted(started, key=len)] == [0, 0, 0, 0, 0, 1]


def test_what_arrives_while_an_answer_is_written_is_answered_next(wren: Agent, alice: Profile, script: Script) -> None:
    message = write(alice, wren.profile)
    script.say("answer", {"body": SAID}, {"body": ELSE})
    (run,) = start_due_answers()
    dispatcher = Dispatcher()
    dispatcher.take([run.pk])
    while not run.steps.filter(name="read_messages", state=RunStep.State.DONE).exists():
        dispatcher._turn(is_sweeping=False)
    send_message(conversation=message.conversation, sender=alice, body="And when do they leave?")
    assert start_due_answers() == []
    dispatcher.run_until_settled([run.pk])
    dispatcher.close()
    carry(start_due_answers())
    assert answered() == [("wren", SAID), ("wren", ELSE)] and start_due_answers() == []


def test_two_agents_that_answer_each_other_come_to_an_end(wren: Agent, script: Script) -> None:
    other = make_agent(handle="heron")
    update_agent(agent=other, answers_messages=True)
    script.say("answer", *[{"body": f"Fact {number}."} for number in range(20)])
    write(wren.profile, other.profile)
    for _ in range(MOST_BY_AGENTS + 3):
        runs = start_due_answers()
        if not runs:
            break
        carry(runs)
    assert Message.objects.count() == MOST_BY_AGENTS and not Member.objects.answer_due().exists()


def test_an_hour_has_so_many_answers_and_the_rest_wait(wren: Agent, bob: Profile, settings: Settings) -> None:
    settings.ANSWERS_PER_CONVERSATION_AND_HOUR = 1
    conversation = write(bob, wren.profile).conversation
    carry(start_due_answers())
    send_message(conversation=conversation, sender=bob, body="And what else?")
    assert start_due_answers() == []
    assert Member.objects.get(profile=wren.pk).answer_due_at > timezone.now() + dt.timedelta(minutes=5)
    # An hour later.
    Message.objects.update(created_at=timezone.now() - dt.timedelta(hours=2))
    Member.objects.filter(profile=wren.pk).update(answer_due_at=timezone.now())
    assert len(start_due_answers()) == 1


def mutes(wren: Agent, bob: Profile) -> None:
    mute(member=Member.objects.get(profile=wren.pk), is_muted=True)


def blocks(wren: Agent, bob: Profile) -> None:
    block(blocker=bob, blocked=wren.profile)


def is_switched_off(wren: Agent, bob: Profile) -> None:
    update_agent(agent=wren, answers_messages=False)


def is_answered(wren: Agent, bob: Profile) -> None:
    send_message(conversation=Message.objects.get().conversation, sender=wren.profile, body="I will look.")


@pytest.mark.parametrize("happens", [mutes, blocks, is_switched_off, is_answered])
def test_nothing_is_sent_when_meanwhile_it(
    happens: Callable[[Agent, Profile], None], wren: Agent, bob: Profile, script: Script
) -> None:
    write(bob, wren.profile)
    runs = start_due_answers()
    dispatcher = Dispatcher()
    dispatcher.take([run.pk for run in runs])
    script.hold("answer")
    while not script.asked():
        dispatcher._turn(is_sweeping=False)
    happens(wren, bob)
    script.release("answer")
    dispatcher.run_until_settled([run.pk for run in runs])
    dispatcher.close()
    assert Run.objects.get().state == Run.State.FAILED and answered() == []
    assert not Notification.objects.filter(key__startswith="unanswered").exists()


@pytest.mark.parametrize("happens", [mutes, blocks, is_switched_off])
def test_no_run_starts_when_before_it(happens: Callable[[Agent, Profile], None], wren: Agent, bob: Profile) -> None:
    write(bob, wren.profile)
    happens(wren, bob)
    assert start_due_answers() == [] and not Run.objects.exists() and not Member.objects.answer_due().exists()


def test_what_only_a_person_can_answer_goes_to_the_owner(
    wren: Agent, alice: Profile, bob: Profile, script: Script
) -> None:
    script.say("answer", {"body": "I would rather ask for you.", "needs_human": True})
    write(bob, wren.profile)
    carry(start_due_answers())
    assert Message.objects.get(is_generated=True).needs_human_input
    assert Notification.objects.filter(profile=alice, kind="message", text="@wren asks for a person").exists()


@pytest.mark.parametrize("embeds", [True, False])
def test_an_answer_that_repeats_is_refused_and_asked_for_again(
    wren: Agent, bob: Profile, script: Script, monkeypatch: pytest.MonkeyPatch, embeds: bool
) -> None:
    if not embeds:
        monkeypatch.setattr(memory, "local_embedder", lambda: None)
    script.say("answer", {"body": SAID}, {"body": SAID.upper()}, {"body": ELSE})
    conversation = write(bob, wren.profile).conversation
    carry(start_due_answers())
    send_message(conversation=conversation, sender=bob, body="And apart from that?")
    run = carry(start_due_answers())
    assert run is not None and (run.state, run.take) == (Run.State.DONE, 2), run.error
    assert answered() == [("wren", SAID), ("wren", ELSE)]
    # The second try is another question: it says what it must not say.
    prompts: Any = run.steps.filter(name="answer").values_list("prompt__material", flat=True)
    assert [SAID.upper() in prompt for prompt in prompts] == [False, True]
    assert len(script.keys()) == script.asked()["answer"] == 3


def test_answers_respect_the_agents_budget(wren: Agent, bob: Profile, script: Script, settings: Settings) -> None:
    settings.DAILY_TOKENS = RESERVED.tokens - 1
    write(bob, wren.profile)
    run = carry(start_due_answers())
    assert run is not None and run.state == Run.State.FAILED and "budget" in run.error
    assert not script.asked() and answered() == []


def test_the_owner_is_told_once_of_a_message_that_stays_without_an_answer(
    wren: Agent, alice: Profile, bob: Profile, script: Script, client_of: MakeClient
) -> None:
    script.say("answer", *[{"body": "The key is avy_0123abcd_abcdefghijklmnopqrstuvwxyz."}] * 2)
    write(bob, wren.profile)
    run = carry(start_due_answers())
    assert run is not None
    told = Notification.objects.filter(text="@wren could not answer a message")
    assert list(told.values_list("profile", "url")) == [(alice.pk, f"/studio/runs/{run.pk}")]
    retry_run(run=run)
    again = carry([run])
    assert again is not None and again.state == Run.State.FAILED and told.count() == 1


def test_a_secret_in_an_answer_is_not_sent(wren: Agent, bob: Profile, script: Script) -> None:
    script.say("answer", {"body": "The key is avy_0123abcd_abcdefghijklmnopqrstuvwxyz."})
    write(bob, wren.profile)
    run = carry(start_due_answers())
    assert run is not None and run.state == Run.State.FAILED and "avy_" not in run.error
    assert answered() == []


def test_answers_cannot_be_asked_for(wren: Agent, alice: Profile, client_of: MakeClient) -> None:
    asked = client_of(alice).post("/api/generations", {"agent": "wren", "pipeline": "answer"}, format="json")
    assert asked.status_code == 400


def test_without_a_network_the_agents_own_knowledge_answers(
    wren: Agent, bob: Profile, settings: Settings, script: Script
) -> None:
    settings.TEXT_PROVIDER = "posts.generation.providers.offline.OfflineText"
    memory_of_herons = (
        "Herons fish at dawn and again at dusk in summer. They stand still until a fish comes near enough to strike."
    )
    save_content(agent=wren, platform="notes", title="When herons fish", text=memory_of_herons)
    conversation = write(bob, wren.profile).conversation
    carry(start_due_answers())
    send_message(conversation=conversation, sender=bob, body="Who won the football game?")
    carry(start_due_answers())
    send_message(conversation=conversation, sender=bob, body="And who lost it?")
    carry(start_due_answers())
    first, *handed_over = Message.objects.filter(is_generated=True).order_by("pk")
    assert first.body.startswith("Herons fish at dawn and again at dusk in summer.") and not first.needs_human_input
    # Said twice, because both questions wait for the owner.
    assert [message.needs_human_input for message in handed_over] == [True, True]
