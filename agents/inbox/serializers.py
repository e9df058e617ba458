from typing import Any

from rest_framework import serializers

from agents.api.serializers import MAX_LIMIT, PageQuery, StrictSerializer, example
from agents.models import Notification
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
