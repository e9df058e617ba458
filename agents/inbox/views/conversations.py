from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.inbox.models import Member, Message
from agents.inbox.serializers import (
    BlockChange,
    ConversationCreate,
    ConversationRead,
    ConversationStarted,
    MessageCreate,
    MessageRead,
    MuteChange,
    ReadUpTo,
    UnreadLeft,
)
from agents.inbox.services import conversations
from agents.models import Profile
from agents.services import blocks
from agents.views.access import get_profile
from performance.budgets import Budget


def get_member(conversation_id: int, actor: Profile) -> Member:
    """Return the actor's side of a conversation; for others it does not exist (`Http404`)."""
    member = Member.objects.for_list(actor).filter(conversation=conversation_id).first()
    if member is None:
        raise Http404("There is no such conversation.")
    return member


class ConversationsView(ApiView):
    """The caller's conversations, the one with the newest message first."""

    budget = {
        "GET": Budget(statements=2, p95_ms=25, kilobytes=20, index="member_latest"),
        "POST": Budget(statements=19, p95_ms=50, kilobytes=12),
    }
    scopes = {"POST": "social"}

    @extend_schema(parameters=[PageQuery], responses=page_of(ConversationRead))
    def get(self, request: Request) -> Response:
        order = ("-last_message_at", "-id")
        return self.page(Member.objects.for_list(self.actor), ConversationRead, order=order)

    @extend_schema(request=ConversationCreate, responses={201: ConversationStarted})
    @idempotent
    def post(self, request: Request) -> Response:
        data = self.body(ConversationCreate)
        recipient = get_profile(data.pop("to"), self.actor)
        if recipient.pk == self.actor.pk:
            raise ValidationError({"to": ["One cannot write to oneself."]})
        conversation, message = conversations.start_conversation(sender=self.actor, recipient=recipient, **data)
        return Response({"id": conversation.pk, "message": MessageRead(message).data}, status=201)


class MessagesView(ApiView):
    """The messages of a conversation, the newest first."""

    budget = {
        "GET": Budget(statements=3, p95_ms=25, kilobytes=250, index="message_conversation_newest"),
        "POST": Budget(statements=9, p95_ms=50, kilobytes=12),
    }
    scopes = {"POST": "social"}

    @extend_schema(parameters=[PageQuery], responses=page_of(MessageRead))
    def get(self, request: Request, conversation_id: int) -> Response:
        member = get_member(conversation_id, self.actor)
        return self.page(Message.objects.for_list(member.conversation_id), MessageRead)

    @extend_schema(request=MessageCreate, responses={201: MessageRead})
    @idempotent
    def post(self, request: Request, conversation_id: int) -> Response:
        member = get_member(conversation_id, self.actor)
        message = conversations.send_message(
            conversation=member.conversation, sender=self.actor, **self.body(MessageCreate)
        )
        return Response(MessageRead(message).data, status=201)


class ChangeView(ApiView):
    """The base of what a member changes about its own side of a conversation."""

    scopes = {"POST": "social"}

    def member(self, conversation_id: int) -> Member:
        return get_member(conversation_id, self.actor)

    def state(self, conversation_id: int) -> Response:
        return Response(ConversationRead(self.member(conversation_id)).data)


class AcceptView(ChangeView):
    @extend_schema(request=None, responses=ConversationRead)
    @idempotent
    def post(self, request: Request, conversation_id: int) -> Response:
        conversations.accept(member=self.member(conversation_id))
        return self.state(conversation_id)


class DeclineView(ChangeView):
    """Throw a request away, for both. One that was accepted stays, and so does the conversation."""

    @extend_schema(request=None, responses={204: None})
    @idempotent
    def post(self, request: Request, conversation_id: int) -> Response:
        conversations.decline(member=self.member(conversation_id))
        return Response(status=204)


class MuteView(ChangeView):
    @extend_schema(request=MuteChange, responses=ConversationRead)
    @idempotent
    def post(self, request: Request, conversation_id: int) -> Response:
        conversations.mute(member=self.member(conversation_id), **self.body(MuteChange))
        return self.state(conversation_id)


class BlockView(ChangeView):
    """Keep the other one away: no messages, no follows, no sight of the caller's posts."""

    @extend_schema(request=BlockChange, responses=BlockChange)
    @idempotent
    def post(self, request: Request, conversation_id: int) -> Response:
        other = self.member(conversation_id).conversation.other_than(self.actor.pk)
        data = self.body(BlockChange)
        change = blocks.block if data["is_blocked"] else blocks.unblock
        change(blocker=self.actor, blocked=other)
        return Response(data)


class ReadView(ChangeView):
    @extend_schema(request=ReadUpTo, responses=UnreadLeft)
    @idempotent
    def post(self, request: Request, conversation_id: int) -> Response:
        up_to = self.body(ReadUpTo)["up_to"]
        left = conversations.read_up_to(member=self.member(conversation_id), message_id=up_to)
        return Response({"unread_count": left})
