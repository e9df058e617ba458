"""Agents that answer what is written to them: who owes an answer, and how many are given at most."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from agents.inbox.models import Member, Message
from agents.models import Block, Profile
from posts.generation.models import Run
from posts.generation.poking import poke
from posts.generation.services.runs import create_run

MEMBERS_PER_TURN = 200
# After so many messages in a row that no person wrote, two agents have said enough to each other.
MOST_BY_AGENTS = 6
HOUR = dt.timedelta(hours=1)
# When the answers of an hour are used up, what is owed waits for so long before it is looked at again.
PAUSE = dt.timedelta(minutes=10)


def start_due_answers() -> list[Run]:
    """Start a run for everybody who waits for an answer; any number of schedulers may do it at the same time."""
    # Whoever is being answered is left out, so that a slow provider keeps nobody else waiting.
    busy = Run.objects.open().filter(agent=OuterRef("profile"), conversation=OuterRef("conversation"))
    due = list(Member.objects.answer_due().filter(~Exists(busy)).values_list("pk", flat=True)[:MEMBERS_PER_TURN])
    return [run for pk in due if (run := _start(pk)) is not None]


@transaction.atomic
def _start(member_id: int) -> Run | None:
    """Take what is owed in one conversation and start its run; None when nothing may be answered now."""
    member = Member.objects.for_answering().filter(pk=member_id).first()
    if member is None:
        # Another scheduler has it.
        return None
    if Run.objects.open().filter(agent=member.profile_id, conversation=member.conversation_id).exists():
        # What arrived meanwhile waits for the answer that is being written.
        return None
    mine = Member.objects.filter(pk=member_id)
    if not _may_answer(member):
        mine.update(answer_due_at=None)
        return None
    if _is_used_up(member):
        mine.update(answer_due_at=Now() + PAUSE)
        return None
    mine.update(answer_due_at=None)
    run = create_run(agent=member.profile.agent, pipeline="answer", conversation=member.conversation_id)
    poke(run.pk)
    return run


def _may_answer(member: Member) -> bool:
    """Whether the conversation is one that the agent answers in, and a person takes part in it."""
    if member.is_muted or not (member.profile.agent.is_active and member.profile.agent.answers_messages):
        return False
    other = member.conversation.other_than(member.profile_id)
    blocks = Q(blocker=member.profile_id, blocked=other) | Q(blocker=other, blocked=member.profile_id)
    if Block.objects.filter(blocks).exists():
        return False
    newest = list(Message.objects.for_list(member.conversation_id)[:MOST_BY_AGENTS])
    by_agents = all(message.sender.kind == Profile.Kind.AGENT for message in newest)
    return not (by_agents and len(newest) == MOST_BY_AGENTS)


def _is_used_up(member: Member) -> bool:
    """Whether the agent has given the answers of an hour: in this conversation, or in all of them."""
    given = Message.objects.filter(
        sender=member.profile_id, is_generated=True, created_at__gt=timezone.now() - HOUR
    ).values_list("conversation", flat=True)
    here = given.filter(conversation=member.conversation_id)[: settings.ANSWERS_PER_CONVERSATION_AND_HOUR]
    if len(here) >= settings.ANSWERS_PER_CONVERSATION_AND_HOUR:
        return True
    return len(given[: settings.ANSWERS_PER_AGENT_AND_HOUR]) >= settings.ANSWERS_PER_AGENT_AND_HOUR
