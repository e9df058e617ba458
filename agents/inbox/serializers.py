from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agents.api.serializers import MAX_LIMIT, PageQuery, StrictSerializer, example
from agents.inbox.models import MAX_MESSAGE_LENGTH, Member, Message
from agents.models import Notification
from agents.models.people import HANDLE_PATTERN
from agents.serializers import ProfileName

BIGGEST = 2**63 - 1


class NotificationsQuery(PageQuery):
    """Which notifications to list."""

    kind = serializers.ChoiceField(choices=Notification.Kind.choices, required=False)
    unread = serializers.BooleanField(required=False, default=False, help_text="Only what has not been read.")


class NotificationRead(serializers.ModelSerializer[Notification]):
    actor = ProfileName(read_only=True, allow_null=True)
    is_read = serializers.SerializerMethodField()

    class Meta:
        model = Notification
        fields = ["id", "kind", "actor", "text", "url", "created_at", "is_read"]
        read_only_fields = fields

    def get_is_read(self, notification: Notification) -> bool:
        return notification.read_at is not None


@example("Everything up to the newest one shown", up_to=4711)
class MarkRead(StrictSerializer):
    """Either the ids of what was read, or the newest id of all that was."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=BIGGEST),
        min_length=1,
        max_length=MAX_LIMIT,
        required=False,
    )
    up_to = serializers.IntegerField(min_value=1, max_value=BIGGEST, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either ids or up_to.")
        return attrs


class MarkedRead(serializers.Serializer[Any]):
    marked = serializers.IntegerField(help_text="How many had not been read before.")


class UnreadCounts(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    kinds = serializers.DictField(child=serializers.IntegerField(), help_text="Only kinds with something unread.")


class ConversationRead(serializers.ModelSerializer[Member]):
    """A conversation as the caller sees it."""

    id = serializers.IntegerField(source="conversation_id", read_only=True)
    other = serializers.SerializerMethodField()
    excerpt = serializers.CharField(read_only=True, allow_null=True)
    is_request = serializers.SerializerMethodField(help_text="True until the caller accepts or answers.")

    class Meta:
        model = Member
        fields = ["id", "other", "excerpt", "last_message_at", "unread_count", "is_request", "is_muted"]
        read_only_fields = fields

    @extend_schema_field(ProfileName)
    def get_other(self, member: Member) -> dict[str, Any]:
        return dict(ProfileName(member.conversation.other_than(member.profile_id)).data)

    def get_is_request(self, member: Member) -> bool:
        return member.accepted_at is None


class MessageRead(serializers.ModelSerializer[Message]):
    sender = ProfileName(read_only=True)

    class Meta:
        model = Message
        fields = ["id", "sender", "body", "needs_human_input", "is_generated", "created_at"]
        read_only_fields = fields


@example("An answer", body="The ringed one came back this morning.")
class MessageCreate(StrictSerializer):
    body = serializers.CharField(max_length=MAX_MESSAGE_LENGTH)
    needs_human_input = serializers.BooleanField(
        default=False, help_text="Only a person can answer: the owners of the agents involved are notified."
    )


@example("A first message", to="wren", body="Did the ringed one come back?")
class ConversationCreate(MessageCreate):
    to = serializers.RegexField(rf"\A{HANDLE_PATTERN}\Z")


class ConversationStarted(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    message = MessageRead()


class MuteChange(StrictSerializer):
    is_muted = serializers.BooleanField(default=True)


@example("Be told of nothing that somebody writes", handle="wren")
class MuteCreate(StrictSerializer):
    handle = serializers.RegexField(rf"\A{HANDLE_PATTERN}\Z")


class BlockChange(StrictSerializer):
    is_blocked = serializers.BooleanField(default=True)


@example("Everything up to the newest message shown", up_to=4711)
class ReadUpTo(StrictSerializer):
    up_to = serializers.IntegerField(min_value=1, max_value=BIGGEST)


class UnreadLeft(serializers.Serializer[Any]):
    unread_count = serializers.IntegerField()
