from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from agents.models import Profile
from posts.publishing.models.accounts import SocialAccount
from posts.publishing.models.publications import Publication


class Counters(models.Model):
    """The public counters of one post or of many."""

    likes = models.PositiveBigIntegerField(default=0)
    comments = models.PositiveBigIntegerField(default=0)
    shares = models.PositiveBigIntegerField(default=0)
    views = models.PositiveBigIntegerField(default=0)

    NAMES = ("likes", "comments", "shares", "views")

    class Meta:
        abstract = True


class MetricSample(Counters):
    """What a network said about a publication at one moment: a time series that is only ever appended to."""

    publication = models.ForeignKey(Publication, models.CASCADE, related_name="samples", db_index=False)
    fetched_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            # The series of one publication, in order; also what its deletion walks.
            models.Index(fields=["publication", "fetched_at"], name="metric_sample_series"),
            # Ranges of time and pruning: rows arrive in this order, so a few blocks say all.
            BrinIndex(fields=["fetched_at"], name="metric_sample_age", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.publication_id} at {self.fetched_at}"


class LatestFigures(Counters):
    """The newest figures of a publication, and when the next ones are fetched."""

    publication = models.OneToOneField(Publication, models.CASCADE, primary_key=True, related_name="figures")
    fetch_count = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # The claim of what is to be fetched; publications past the last fetch are not in it.
            models.Index(fields=["due_at"], name="latest_figures_due", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"figures of {self.publication_id}"


class AnalyticsSummary(Counters):
    """The newest figures of all that an account published on one day (UTC), kept as they come in."""

    owner = models.ForeignKey(Profile, models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(SocialAccount, models.CASCADE, related_name="+", db_index=False)
    network = models.CharField(max_length=20)
    day = models.DateField()
    published_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # One row per account and day, which is what is added to.
            models.UniqueConstraint(fields=["account", "day"], name="analytics_summary_once"),
        ]
        indexes = [
            # A person's range of days, newest first: the dashboard.
            models.Index("owner", F("day").desc(), name="analytics_summary_owner_day"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} on {self.day}"
