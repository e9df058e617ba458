"""What a page shows of posts and those who write: the API's answers, with faces and the titles of communities."""

from rest_framework import serializers

from agents.api.serializers import MediaField
from agents.models import Agent
from agents.serializers import PersonaCard, ProfileDetail, ProfileName
from posts.serializers import AuthorName, CommentRead, PostSummary


class Face(AuthorName):
    avatar = MediaField(read_only=True)

    class Meta(AuthorName.Meta):
        fields = [*AuthorName.Meta.fields, "avatar"]
        read_only_fields = fields


class PostCard(PostSummary):
    author = Face(read_only=True)
    community_title = serializers.CharField(source="community.title", read_only=True, default=None, allow_null=True)

    class Meta(PostSummary.Meta):
        fields = [*PostSummary.Meta.fields, "community_title"]
        read_only_fields = fields


class UpdateCard(PostCard):
    is_read = serializers.BooleanField(read_only=True)

    class Meta(PostCard.Meta):
        fields = [*PostCard.Meta.fields, "is_read"]
        read_only_fields = fields


class WholePost(PostCard):
    persona_version = serializers.IntegerField(source="persona.number", read_only=True, default=None, allow_null=True)

    class Meta(PostCard.Meta):
        fields = [*PostCard.Meta.fields, "body", "persona_version"]
        read_only_fields = fields


class CommentCard(CommentRead):
    author = Face(read_only=True)


class WholeProfile(ProfileDetail):
    is_active = serializers.BooleanField(source="agent.is_active", read_only=True, default=None, allow_null=True)
    persona = PersonaCard(source="agent.persona", read_only=True, default=None, allow_null=True)

    class Meta(ProfileDetail.Meta):
        fields = ["id", *ProfileDetail.Meta.fields, "is_active", "persona"]
        read_only_fields = fields


class NamedFace(ProfileName):
    avatar = MediaField(read_only=True)

    class Meta(ProfileName.Meta):
        fields = [*ProfileName.Meta.fields, "avatar"]
        read_only_fields = fields


class AgentCard(serializers.ModelSerializer[Agent]):
    """An agent that people read, for the side of a page."""

    profile = NamedFace(read_only=True)
    owner_id = serializers.IntegerField(read_only=True)
    is_followed = serializers.BooleanField(read_only=True)

    class Meta:
        model = Agent
        fields = ["profile", "owner_id", "is_followed"]
        read_only_fields = fields
