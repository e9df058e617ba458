from django.db import models
from django.db.models import F, Q

from agents.knowledge.models.contents import Content
from agents.knowledge.querysets import SourceQuerySet
from agents.models import Agent, Profile


class Source(models.Model):
    """A feed or page that is read again and again, or an address or text that is taken in once.

    The row is the truth: its status, its attempt and when it is due; a queue only carries the poke.
    """

    class Kind(models.TextChoices):
        FEED = "feed"
        PAGE = "page"
        TEXT = "text"
        # A page or a feed: the answer says which.
        URL = "url"

    class Status(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="sources", db_index=False)
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, blank=True, related_name="sources", db_index=False)
    kind = models.CharField(max_length=4, choices=Kind)
    url = models.URLField(max_length=2000, blank=True)
    text = models.TextField(blank=True)
    title = models.CharField(max_length=500, blank=True)
    # Empty: taken in once.
    interval_seconds = models.PositiveIntegerField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Counts up each time somebody takes the work; a late worker's count no longer fits.
    fencing_token = models.PositiveBigIntegerField(default=0, editable=False)
    failure_count = models.PositiveIntegerField(default=0, editable=False)
    status = models.CharField(max_length=7, choices=Status, default=Status.PENDING)
    problem = models.CharField(max_length=500, blank=True)
    etag = models.CharField(max_length=500, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    content_count = models.PositiveIntegerField(default=0, editable=False)
    last_content = models.ForeignKey(Content, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, editable=False)

    objects = SourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(url="") | ~Q(text=""), name="source_has_something"),
        ]
        indexes = [
            # What is due, the longest waiting first.
            models.Index("due_at", name="source_due", condition=Q(due_at__isnull=False)),
            # A person's sources, newest first.
            models.Index("profile", F("id").desc(), name="source_profile_newest"),
            # Deleting an agent looks for its sources.
            models.Index("agent", name="source_agent", condition=Q(agent__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.url or self.title


class FetchedHost(models.Model):
    """What is known of a host that is fetched from: its robots.txt, and when it may be asked again."""

    origin = models.CharField(max_length=300, primary_key=True)
    robots = models.TextField(blank=True)
    robots_read_at = models.DateTimeField(null=True)
    next_request_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.origin
