"""How a run ends: with a post, a message, or a person who decides. Each is one transaction, all or nothing."""

import time
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse

from agents.inbox.models import Conversation, Member, Message
from agents.inbox.services.conversations import send_message
from agents.models import Notification, Profile
from agents.services.notifications import notify
from posts.generation import memory
from posts.generation.engine import ledger
from posts.generation.engine.flights import Flight
from posts.generation.engine.ledger import LostLease, Outcome
from posts.generation.engine.retaking import ToldBeforeError, draft_of, refuse_told
from posts.generation.models import Run, RunStep
from posts.generation.pipelines import Kind, Step
from posts.services.posts import create_post


@dataclass(frozen=True)
class Ending:
    """The last step of a run as it is about to be written."""

    flight: Flight
    step: Step
    outcome: Outcome
    started: float

    def write(self, *, post_id: int | None = None, reply_id: int | None = None, draft: dict[str, object]) -> None:
        """Commit all results that are left, in the transaction of the caller. Raises `LostLease`."""
        self.outcome.own_ms = (time.perf_counter() - self.started) * 1000
        outcomes = [*self.flight.outcomes.values(), self.outcome]
        ledger.complete(run=self.flight.run, outcomes=outcomes, post_id=post_id, reply_id=reply_id, memory=draft)

    def record(self) -> None:
        """Remember that all of it is committed."""
        for name, written in {**self.flight.outcomes, self.step.name: self.outcome}.items():
            self.flight.record(name, written)
        self.flight.outcomes.clear()
        self.flight.run.state = Run.State.DONE
        self.flight.is_over = True


def end(ending: Ending) -> None:
    """Take the last step of a run, whatever it is. Raises `ToldBeforeError` for what the agent said before."""
    match ending.step.kind:
        case Kind.REVIEW:
            _wait_for_review(ending)
        case Kind.POST:
            _publish(ending)
            ending.record()
        case _:
            _send(ending)
            ending.record()


def _publish(ending: Ending) -> None:
    """Create the post, finish the run and its last step, hence exactly once."""
    run, fields = ending.flight.run, ending.outcome.output
    draft = draft_of(ending.flight, fields)
    with transaction.atomic():
        post = create_post(author=run.agent.profile, is_generated=True, persona=run.persona, layer=run.layer, **fields)
        # From here on the author's row is held: of two runs that say the same at once the second sees the first.
        refuse_told(draft, body=fields["body"])
        ending.write(post_id=post.pk, draft=draft)
    run.post = post


def _send(ending: Ending) -> None:
    """Send the message. Raises `PermissionDenied` when it may not be sent any more."""
    run, fields = ending.flight.run, ending.outcome.output
    read_up_to = ending.flight.outputs["read_messages"]["read_up_to"]
    # What is handed over to a person may be said in the same words each time.
    if not fields["needs_human_input"] and memory.is_said(run=run, body=fields["body"]):
        raise ToldBeforeError("The agent said the same in this conversation.")
    with transaction.atomic():
        conversation = Conversation.objects.get(pk=run.conversation_id or 0)
        message = send_message(conversation=conversation, sender=run.agent.profile, is_generated=True, **fields)
        # Both sides are held from here on: nothing arrives, and nobody mutes, before this is committed.
        mine = Member.objects.filter(conversation=conversation, profile=run.agent_id)
        if not mine.answering().exists():
            raise PermissionDenied("The conversation is muted, or the agent answers no more.")
        meanwhile = Message.objects.filter(conversation=conversation, pk__gt=read_up_to).exclude(pk=message.pk)
        senders = set(meanwhile.values_list("sender", flat=True))
        if run.agent_id in senders:
            raise PermissionDenied("It was answered meanwhile.")
        if senders:
            mine.update(answer_due_at=Now())
        ending.write(reply_id=message.pk, draft={})


def _wait_for_review(ending: Ending) -> None:
    """Hand the run to a person: no worker touches it until it is approved."""
    run, outcome = ending.flight.run, ending.outcome
    refuse_told(draft_of(ending.flight, outcome.output), body=outcome.output["body"])
    with transaction.atomic():
        written = Run.objects.filter(pk=run.pk, fencing_token=run.fencing_token, state=Run.State.RUNNING).update(
            state=Run.State.REVIEW, worker=""
        )
        if not written:
            raise LostLease(run.pk)
        RunStep.objects.filter(pk=outcome.step_id).update(
            state=RunStep.State.REVIEW, started_at=Now(), output=outcome.output, input_hash=outcome.input_hash
        )
        notify(
            profiles=Profile.objects.filter(pk=run.agent_id),
            kind=Notification.Kind.REVIEW,
            actor=None,
            text=f"What @{run.agent.profile.handle} wrote waits for your review",
            url=reverse("reader:run", args=[run.pk]),
            key=f"review:{run.pk}:{run.fencing_token}",
        )
    run.state = Run.State.REVIEW
    ending.flight.is_over = True
