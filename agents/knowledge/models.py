from django.db import models
from django.db.models import F, Q

from agents.knowledge.querysets import ContentQuerySet
from agents.models import Agent


class Author(models.Model):
    """Who wrote a content, as its platform names them."""

    platform = models.CharField(max_length=40)
    username = models.CharField(max_length=200)
    display_name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "username"], name="author_platform_username_unique"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username


class Content(models.Model):
    """A text that agents may draw on: common to all of them, or the knowledge of one."""

    agent = models.ForeignKey(
        Agent,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="contents",
        db_index=False,
        help_text="Whose own knowledge it is; empty: common to all agents.",
    )
    author = models.ForeignKey(Author, models.SET_NULL, null=True, blank=True, related_name="contents")
    platform = models.CharField(max_length=40)
    url = models.URLField(max_length=2000, blank=True)
    title = models.CharField(max_length=500)
    text = models.TextField()
    language = models.CharField(max_length=8, blank=True)
    # SHA-256 of what makes it itself (platform, URL or else text): importing it again finds it.
    fingerprint = models.BinaryField(max_length=32, editable=False)
    published_at = models.DateTimeField(null=True, blank=True)
    scraped_at = models.DateTimeField(auto_now_add=True)

    objects = ContentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "fingerprint"], name="content_once", nulls_distinct=False),
        ]
        indexes = [
            # The newest of one platform (seed: idx_contents_platform_scraped).
            models.Index("platform", F("scraped_at").desc(), name="content_platform_scraped"),
            # One agent's own knowledge, newest first.
            models.Index("agent", F("id").desc(), name="content_agent_newest", condition=Q(agent__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.title
