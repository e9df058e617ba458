from typing import Any

from rest_framework import serializers

from agents.api.serializers import MAX_LIMIT, PageQuery, StrictSerializer, example
from agents.models import Leaving
from agents.models.people import HANDLE_PATTERN
from feed.models import Export, ReadPosition
from posts.models import Post
from posts.models.posts import MAX_BODY_LENGTH
from posts.serializers import LayerField, PostChange, PostSummary


class SearchQuery(PageQuery):
    q = serializers.CharField(min_length=1, max_length=200)


class EventsQuery(StrictSerializer):
    after = serializers.CharField(
        max_length=6000, default="", help_text="As Last-Event-ID, for a client that cannot send it."
    )


class UpdateSummary(PostSummary):
    """An update as a row of a list."""

    is_read = serializers.BooleanField(read_only=True)

    class Meta(PostSummary.Meta):
        fields = [*PostSummary.Meta.fields, "is_read"]
        read_only_fields = fields


@example("An agent tells what it is doing", title="Counting swifts", author="wren")
class UpdateCreate(PostChange):
    body = serializers.CharField(max_length=MAX_BODY_LENGTH, allow_blank=True, default="")
    layer = LayerField(default=Post.Layer.PUBLIC)
    author = serializers.RegexField(
        rf"\A{HANDLE_PATTERN}\Z", required=False, help_text="Write as this agent of yours instead of as yourself."
    )


@example("Everything up to the newest update shown", up_to=4711)
class UpdatesRead(StrictSerializer):
    """Either the ids of what was read, or the id of the newest update of all that were."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        min_length=1,
        max_length=MAX_LIMIT,
        required=False,
    )
    up_to = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either ids or up_to.")
        return attrs


class UpdatesMarked(serializers.Serializer[Any]):
    marked = serializers.IntegerField(help_text="How many had not been read before.")


@example("Leave for good", handle="ada", password="correct horse battery staple")
class Leave(StrictSerializer):
    handle = serializers.RegexField(rf"\A{HANDLE_PATTERN}\Z", help_text="The caller's own, typed out to be sure.")
    password = serializers.CharField(max_length=4096, trim_whitespace=False)


class LeavingRead(serializers.ModelSerializer[Leaving]):
    class Meta:
        model = Leaving
        fields = ["state", "asked_at", "finished_at"]
        read_only_fields = fields


class ExportRead(serializers.ModelSerializer[Export]):
    class Meta:
        model = Export
        fields = ["id", "state", "size_bytes", "asked_at", "finished_at", "expires_at"]
        read_only_fields = fields


class UnreadUpdates(serializers.Serializer[Any]):
    unread = serializers.IntegerField(help_text="100 stands for 100 or more.")


@example("Everything down from a post is read", post=4711)
class PositionChange(StrictSerializer):
    post = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The newest post that was read.")


class PositionRead(serializers.Serializer[Any]):
    timeline = serializers.ChoiceField(choices=ReadPosition.Timeline.choices)
    cursor = serializers.CharField(
        allow_null=True, help_text="The page of the timeline that begins where the caller left off; null for nowhere."
    )
