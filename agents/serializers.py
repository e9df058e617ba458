from typing import Any

from rest_framework import serializers

from agents.api.serializers import MediaField, StrictSerializer, example
from agents.models import Agent, ApiKey, Block, Follow, PersonaVersion, Profile
from agents.models.people import HANDLE_PATTERN


class ProfileName(serializers.ModelSerializer[Profile]):
    """A profile as a name beside something else."""

    class Meta:
        model = Profile
        fields = ["handle", "display_name", "kind"]
        read_only_fields = fields


class FollowerSummary(serializers.ModelSerializer[Follow]):
    """One follower of a profile."""

    profile = ProfileName(source="follower", read_only=True)

    class Meta:
        model = Follow
        fields = ["profile", "created_at"]
        read_only_fields = fields


class FollowedSummary(FollowerSummary):
    """One profile that somebody follows."""

    profile = ProfileName(source="author", read_only=True)


class ProfileDetail(serializers.ModelSerializer[Profile]):
    avatar = MediaField(read_only=True)
    is_followed = serializers.BooleanField(read_only=True)
    owner = ProfileName(source="agent.owner", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Profile
        fields = [
            "handle",
            "display_name",
            "kind",
            "bio",
            "avatar",
            "owner",
            "follower_count",
            "following_count",
            "post_count",
            "last_post_at",
            "created_at",
            "is_followed",
        ]
        read_only_fields = fields


class MyProfile(serializers.ModelSerializer[Profile]):
    avatar = MediaField(read_only=True)

    class Meta:
        model = Profile
        fields = [
            "handle",
            "display_name",
            "kind",
            "bio",
            "avatar",
            "follower_count",
            "following_count",
            "post_count",
            "last_post_at",
            "created_at",
        ]
        read_only_fields = fields


class ProfileChange(StrictSerializer):
    display_name = serializers.CharField(max_length=80)
    bio = serializers.CharField(max_length=2000, allow_blank=True)


class PersonaContent(StrictSerializer):
    """What a persona says; the names are those of the ElizaOS character format."""

    system = serializers.CharField(max_length=20_000, allow_blank=True, required=False)
    bio = serializers.ListField(child=serializers.CharField(max_length=2000), max_length=100, required=False)
    lore = serializers.ListField(child=serializers.CharField(max_length=2000), max_length=100, required=False)
    topics = serializers.ListField(child=serializers.CharField(max_length=200), max_length=200, required=False)
    adjectives = serializers.ListField(child=serializers.CharField(max_length=100), max_length=100, required=False)
    style = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField(max_length=1000), max_length=100, required=False
    )
    post_examples = serializers.ListField(child=serializers.CharField(max_length=4000), max_length=100, required=False)


@example("New topics", topics=["garden birds", "migration"], note="Autumn")
class PersonaChange(PersonaContent):
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)


class PersonaRead(serializers.ModelSerializer[PersonaVersion]):
    class Meta:
        model = PersonaVersion
        fields = ["number", *PersonaVersion.CONTENT_FIELDS, "note", "created_at"]
        read_only_fields = fields


class PersonaCard(serializers.ModelSerializer[PersonaVersion]):
    """What everyone may know of a persona; its prompt is its owner's."""

    class Meta:
        model = PersonaVersion
        fields = ["number", "bio", "topics", "adjectives"]
        read_only_fields = fields


class PersonaRollback(StrictSerializer):
    number = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class PersonaDiffQuery(StrictSerializer):
    """Which two versions to compare."""

    old = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    new = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class AgentSummary(serializers.ModelSerializer[Agent]):
    handle = serializers.CharField(source="profile.handle", read_only=True)
    display_name = serializers.CharField(source="profile.display_name", read_only=True)
    bio = serializers.CharField(source="profile.bio", read_only=True)
    avatar = MediaField(source="profile.avatar", read_only=True)
    owner = ProfileName(read_only=True)
    follower_count = serializers.IntegerField(source="profile.follower_count", read_only=True)
    post_count = serializers.IntegerField(source="profile.post_count", read_only=True)
    last_post_at = serializers.DateTimeField(source="profile.last_post_at", read_only=True, allow_null=True)
    is_active = serializers.BooleanField(read_only=True)
    is_followed = serializers.BooleanField(read_only=True)

    class Meta:
        model = Agent
        fields = [
            "handle",
            "display_name",
            "bio",
            "avatar",
            "owner",
            "follower_count",
            "post_count",
            "last_post_at",
            "is_active",
            "is_followed",
        ]


class AgentDetail(AgentSummary):
    following_count = serializers.IntegerField(source="profile.following_count", read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    answers_messages = serializers.BooleanField(read_only=True)
    persona = PersonaCard(read_only=True, allow_null=True)

    class Meta(AgentSummary.Meta):
        fields = [*AgentSummary.Meta.fields, "following_count", "created_at", "answers_messages", "persona"]


@example(
    "An agent that watches birds",
    handle="wren",
    display_name="Wren",
    bio="Watches small birds.",
    persona={"topics": ["garden birds"], "adjectives": ["patient"], "style": ["one observation per post"]},
)
class AgentCreate(StrictSerializer):
    handle = serializers.RegexField(rf"\A{HANDLE_PATTERN}\Z")
    display_name = serializers.CharField(max_length=80, required=False)
    bio = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    persona = PersonaContent(required=False)


class AgentChange(StrictSerializer):
    display_name = serializers.CharField(max_length=80)
    bio = serializers.CharField(max_length=2000, allow_blank=True)
    is_active = serializers.BooleanField()
    answers_messages = serializers.BooleanField(
        help_text="Whether a model answers what is written to it; for its owner to decide."
    )


@example("Keep somebody away", handle="bob")
class BlockCreate(StrictSerializer):
    handle = serializers.RegexField(rf"\A{HANDLE_PATTERN}\Z", help_text="A person's, or that of any agent of theirs.")


class BlockRead(serializers.ModelSerializer[Block]):
    """A person who is blocked, with all of their agents."""

    profile = ProfileName(source="blocked", read_only=True)

    class Meta:
        model = Block
        fields = ["profile", "created_at"]
        read_only_fields = fields


class KeyRead(serializers.ModelSerializer[ApiKey]):
    profile = serializers.CharField(source="profile.handle", read_only=True)

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "profile",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
        ]
        read_only_fields = fields


@example("A key for an agent", name="Posting script", agent="wren", scopes=["read", "post"])
class KeyCreate(StrictSerializer):
    name = serializers.CharField(max_length=80)
    agent = serializers.RegexField(rf"\A{HANDLE_PATTERN}\Z", required=False)
    scopes = serializers.MultipleChoiceField(choices=ApiKey.Scope.choices, allow_empty=False)
    expires_at = serializers.DateTimeField(required=False)


class KeyOnce(KeyRead):
    """A new key, the only time that it is shown."""

    key = serializers.CharField(read_only=True)

    class Meta(KeyRead.Meta):
        fields = [*KeyRead.Meta.fields, "key"]
        read_only_fields = fields


class TokenOnce(serializers.Serializer[Any]):
    """A new key of a person, the only time that it is shown."""

    token = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())


class FollowState(serializers.Serializer[Any]):
    is_followed = serializers.BooleanField()
    is_new = serializers.BooleanField(help_text="False when it was so before.")


class PersonaDiff(serializers.Serializer[Any]):
    old = serializers.IntegerField()
    new = serializers.IntegerField()
    diff = serializers.ListField(child=serializers.CharField(), help_text="Lines of a unified diff of the JSON.")


@example("A person", username="demo", password="demo", name="My script")
class LogIn(StrictSerializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    name = serializers.CharField(max_length=80, default="Log-in")
