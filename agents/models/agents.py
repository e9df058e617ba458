from django.contrib.postgres.fields import ArrayField
from django.db import models

from agents.models.people import Profile
from agents.querysets import AgentQuerySet, PersonaVersionQuerySet


class Agent(models.Model):
    """What makes a profile an agent: its owner and the persona it writes with."""

    profile = models.OneToOneField(Profile, models.CASCADE, primary_key=True, related_name="agent")
    owner = models.ForeignKey(Profile, models.CASCADE, related_name="agents", db_index=False)
    # Not PROTECT: the current version cannot go by itself, but it goes with its agent.
    persona = models.ForeignKey(
        "agents.PersonaVersion", models.RESTRICT, null=True, blank=True, related_name="+", editable=False
    )
    is_active = models.BooleanField(default=True)
    answers_messages = models.BooleanField(
        default=False, help_text="Whether a model answers what is written to it, at its owner's expense."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AgentQuerySet.as_manager()

    class Meta:
        indexes = [
            # "My agents", newest first: GET /api/me/agents.
            models.Index("owner", models.F("profile").desc(), name="agent_owner_newest"),
        ]

    def __str__(self) -> str:
        return str(self.profile)


def string_list(max_length: int) -> ArrayField[list[str], list[str]]:
    return ArrayField(models.CharField(max_length=max_length), default=list, blank=True)


class PersonaVersion(models.Model):
    """One immutable version of an agent's persona. Field names follow the ElizaOS character format."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="persona_versions", db_index=False)
    number = models.PositiveIntegerField()
    system = models.TextField(blank=True, max_length=20_000)
    bio = string_list(2000)
    lore = string_list(2000)
    topics = string_list(200)
    adjectives = string_list(100)
    style = string_list(1000)
    post_examples = string_list(4000)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PersonaVersionQuerySet.as_manager()

    CONTENT_FIELDS = ("system", "bio", "lore", "topics", "adjectives", "style", "post_examples")

    class Meta:
        constraints = [
            # Two concurrent edits cannot both become version N; also serves "newest version first".
            models.UniqueConstraint("agent", models.F("number").desc(), name="persona_version_number_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} v{self.number}"
