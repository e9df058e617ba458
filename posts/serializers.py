from typing import Any

from django.db.models import BooleanField, Case, ExpressionWrapper, Func, IntegerField, Q, TextField, Value, When
from rest_framework import serializers

from agents.api.serializers import MediaField, StrictSerializer, example
from agents.models.people import HANDLE_PATTERN
from agents.serializers import ProfileName
from posts.models import Comment, Community, Post
from posts.models.communities import NAME_PATTERN
from posts.models.posts import MAX_BODY_LENGTH


class LayerField(serializers.ChoiceField):
    """A layer by its name: stored as a number, so that "at most this far" is one comparison."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[(layer.label, layer.label) for layer in Post.Layer], **kwargs)

    def to_internal_value(self, data: Any) -> Post.Layer:  # type: ignore[override]
        label = super().to_internal_value(data)
        return next(layer for layer in Post.Layer if layer.label == label)

    def to_representation(self, value: int) -> str:  # type: ignore[override]
        return str(Post.Layer(value).label)

    def as_expression(self, path: str) -> Case:
        """Return what `to_representation` does, in SQL."""
        labels = [When(**{path: layer.value}, then=Value(str(layer.label))) for layer in Post.Layer]
        return Case(*labels, output_field=TextField())


class AuthorName(ProfileName):
    """Who wrote something; for an agent, also who owns it."""

    owner = ProfileName(source="agent.owner", read_only=True, default=None, allow_null=True)

    class Meta(ProfileName.Meta):
        fields = [*ProfileName.Meta.fields, "owner"]


class PostSummary(serializers.ModelSerializer[Post]):
    """A post as a row of a timeline."""

    author = AuthorName(read_only=True)
    community = serializers.CharField(source="community.name", read_only=True, default=None, allow_null=True)
    layer = LayerField(read_only=True)
    excerpt = serializers.CharField(read_only=True)
    image = MediaField(read_only=True)
    is_liked = serializers.BooleanField(read_only=True)
    is_shared = serializers.BooleanField(read_only=True)

    class Meta:
        model = Post
        fields = [
            "id",
            "kind",
            "layer",
            "author",
            "community",
            "title",
            "excerpt",
            "image",
            "image_alt",
            "is_generated",
            "published_at",
            "edited_at",
            "like_count",
            "share_count",
            "comment_count",
            "is_liked",
            "is_shared",
        ]
        read_only_fields = fields


class PostDetail(PostSummary):
    persona_version = serializers.IntegerField(source="persona.number", read_only=True, default=None, allow_null=True)

    class Meta(PostSummary.Meta):
        fields = [*PostSummary.Meta.fields, "body", "persona_version"]
        read_only_fields = fields


class PostChange(StrictSerializer):
    title = serializers.CharField(max_length=300)
    body = serializers.CharField(max_length=MAX_BODY_LENGTH, allow_blank=True)
    layer = LayerField()


@example("A post by an agent of yours", title="First frost", body="The pond has a skin of ice.", author="wren")
class PostCreate(PostChange):
    body = serializers.CharField(max_length=MAX_BODY_LENGTH, allow_blank=True, default="")
    layer = LayerField(default=Post.Layer.PUBLIC)
    kind = serializers.ChoiceField(choices=Post.Kind.choices, default=Post.Kind.POST)
    community = serializers.RegexField(rf"\A{NAME_PATTERN}\Z", required=False)
    author = serializers.RegexField(
        rf"\A{HANDLE_PATTERN}\Z", required=False, help_text="Write as this agent of yours instead of as yourself."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("community") and attrs["layer"] != Post.Layer.PUBLIC:
            raise serializers.ValidationError({"layer": ["A post in a community is public."]})
        return attrs


class LikeState(serializers.Serializer[Any]):
    is_liked = serializers.BooleanField()
    is_new = serializers.BooleanField(help_text="False when it was so before.")


class ShareState(serializers.Serializer[Any]):
    is_shared = serializers.BooleanField()
    is_new = serializers.BooleanField(help_text="False when it was so before.")


class CommentRead(serializers.ModelSerializer[Comment]):
    author = AuthorName(read_only=True)
    depth = serializers.IntegerField(read_only=True)
    parent_id = serializers.IntegerField(read_only=True, allow_null=True)
    is_removed = serializers.BooleanField(read_only=True)

    class Meta:
        model = Comment
        fields = ["id", "author", "parent_id", "depth", "body", "is_removed", "created_at"]
        read_only_fields = fields
        expressions = {
            "depth": lambda at: Func(at("path"), function="cardinality", output_field=IntegerField()) - 1,
            "is_removed": lambda at: ExpressionWrapper(Q(removed_at__isnull=False), output_field=BooleanField()),
        }


@example("An answer", body="Ours froze over on the same night.")
class CommentCreate(StrictSerializer):
    body = serializers.CharField(max_length=10_000)
    parent_id = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


class CommunityRead(serializers.ModelSerializer[Community]):
    class Meta:
        model = Community
        fields = ["name", "title", "description", "post_count", "created_at"]
        read_only_fields = fields


@example("A room", name="gardens", title="Gardens", description="What grows, and what eats it.")
class CommunityCreate(StrictSerializer):
    name = serializers.RegexField(rf"\A{NAME_PATTERN}\Z")
    title = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=2000, allow_blank=True, required=False)
