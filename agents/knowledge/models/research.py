from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from agents.knowledge.models.contents import Author, Content, Passage
from agents.knowledge.querysets import AttributionQuerySet, CardQuerySet, ResearchSessionQuerySet
from agents.knowledge.quotes import address_of
from agents.models import Agent, Profile


class Pattern(models.Model):
    """A theme that recurs in common contents, found by clustering their vectors."""

    label = models.CharField(max_length=200)
    keywords: ArrayField[list[str], list[str]] = ArrayField(models.CharField(max_length=60))
    # How close its contents lie together and how apart from the others: -1 to 1 (silhouette).
    confidence_score = models.FloatField()
    content_count = models.PositiveIntegerField()
    contents = models.ManyToManyField(Content, related_name="patterns")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    discovered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # The surest first (seed: idx_patterns_confidence_score_desc): GET /api/patterns.
            models.Index(F("confidence_score").desc(), F("id").desc(), name="pattern_confidence"),
            # The newest first (seed: idx_patterns_discovered_at_desc): GET /api/patterns?order=newest.
            models.Index(F("discovered_at").desc(), F("id").desc(), name="pattern_newest"),
        ]

    def __str__(self) -> str:
        return self.label


class ResearchSession(models.Model):
    """A question, the steps taken to answer it, and the answer with its citations."""

    class Status(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        NOT_FOUND = "not_found"
        FAILED = "failed"

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="research_sessions", db_index=False)
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, related_name="research_sessions", db_index=False)
    question = models.TextField()
    filters: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    steps: models.JSONField[list[Any], list[Any]] = models.JSONField(default=list)
    answer: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    status = models.CharField(max_length=9, choices=Status, default=Status.RUNNING)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = ResearchSessionQuerySet.as_manager()

    class Meta:
        indexes = [
            # A person's sessions, newest first: GET /api/research-sessions.
            models.Index("profile", F("id").desc(), name="session_profile_newest"),
            # Those that are still running, oldest first (seed: idx_research_sessions_status_created).
            models.Index("status", "created_at", name="session_status_created"),
            # Deleting an agent looks for its sessions.
            models.Index("agent", name="session_agent", condition=Q(agent__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.question[:80]


class Card(models.Model):
    """A note made of cited passages. Published, everyone may read it."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="cards", db_index=False)
    title = models.CharField(max_length=300)
    note = models.TextField(blank=True, max_length=20_000)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)

    objects = CardQuerySet.as_manager()

    class Meta:
        indexes = [
            # One's own cards, newest first (seed: idx_cards_user_created_desc).
            models.Index("profile", F("created_at").desc(), F("id").desc(), name="card_profile_newest"),
            # The published ones (seed: idx_cards_published_desc): GET /api/cards.
            models.Index(
                F("published_at").desc(),
                F("id").desc(),
                name="card_published_newest",
                condition=Q(published_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Attribution(models.Model):
    """A quotation: who quoted which words of which author, and where they stand.

    Keeps the quoted words as they were; the content may change or go.
    """

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="attributions", db_index=False)
    session = models.ForeignKey(
        ResearchSession, models.SET_NULL, null=True, blank=True, related_name="attributions", db_index=False
    )
    card = models.ForeignKey(Card, models.CASCADE, null=True, blank=True, related_name="citations", db_index=False)
    content = models.ForeignKey(Content, models.SET_NULL, null=True, related_name="attributions", db_index=False)
    passage = models.ForeignKey(Passage, models.SET_NULL, null=True, related_name="+", db_index=False)
    author = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="attributions", db_index=False)
    title = models.CharField(max_length=500)
    url = models.URLField(max_length=2000, blank=True)
    quote = models.TextField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AttributionQuerySet.as_manager()

    class Meta:
        indexes = [
            # What somebody quoted, newest first: GET /api/attributions.
            models.Index("profile", F("id").desc(), name="attribution_profile_newest"),
            # A card's quotations in the order in which they were made.
            models.Index("card", "id", name="attribution_card", condition=Q(card__isnull=False)),
            # A session's quotations.
            models.Index("session", "id", name="attribution_session", condition=Q(session__isnull=False)),
            # How often an author was quoted: GET /api/attributions?author=.
            models.Index("author", F("id").desc(), name="attribution_author", condition=Q(author__isnull=False)),
            # Deleting a content or its passages looks for who quoted them.
            models.Index("content", name="attribution_content", condition=Q(content__isnull=False)),
            models.Index("passage", name="attribution_passage", condition=Q(passage__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.quote[:80]

    @property
    def link(self) -> str | None:
        """The address at which a reader finds the quoted words marked; none when the content is gone."""
        if self.content_id is None:
            return None
        return address_of(content_id=self.content_id, start=self.start, end=self.end, quote=self.quote)
