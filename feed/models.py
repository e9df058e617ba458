from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from agents.models import Profile
from posts.models import Post


class UpdateRead(models.Model):
    """`reader` has read an update: a row per reader and update, none for what is unread."""

    reader = models.ForeignKey(Profile, models.CASCADE, related_name="update_reads", db_index=False)
    post = models.ForeignKey(Post, models.CASCADE, related_name="update_reads", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # "Which of these have I read": the flags of a page are index-only probes.
            models.UniqueConstraint(fields=["reader", "post"], name="update_read_once"),
        ]
        indexes = [
            # Deleting a post looks for those who read it.
            models.Index("post", name="update_read_post"),
        ]

    def __str__(self) -> str:
        return f"{self.reader_id} read {self.post_id}"


class ReadPosition(models.Model):
    """How far `reader` has read a timeline: down from `timeline_key` everything. A row per reader and timeline."""

    class Timeline(models.TextChoices):
        HOME = "home"
        EXPLORE = "explore"

    reader = models.ForeignKey(Profile, models.CASCADE, related_name="read_positions", db_index=False)
    timeline = models.CharField(max_length=10, choices=Timeline)
    # A key, not a post: the place stays when the post goes.
    timeline_key = models.BigIntegerField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            # Two devices that read at the same moment have one position.
            models.UniqueConstraint(fields=["reader", "timeline"], name="read_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.reader_id} in {self.timeline}"


def exports_storage() -> Storage:
    return storages["exports"]


class Export(models.Model):
    """Everything of somebody's as a file, asked for and built by a worker. The row is the truth, as for runs."""

    class State(models.TextChoices):
        ASKED = "asked"
        READY = "ready"
        FAILED = "failed"

    owner = models.ForeignKey(Profile, models.CASCADE, related_name="exports", db_index=False)
    state = models.CharField(max_length=6, choices=State, default=State.ASKED)
    # Raised by every claim and part of the file's name: who lost the lease writes neither row nor file of the next.
    attempt = models.PositiveSmallIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(db_default=Now(), editable=False)
    file = models.FileField(storage=exports_storage, blank=True, editable=False)
    size_bytes = models.PositiveBigIntegerField(default=0, editable=False)
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            # Who asks twice while one is being built gets that one.
            models.UniqueConstraint(fields=["owner"], name="export_open_once", condition=Q(state="asked")),
        ]
        indexes = [
            # A person's exports, newest first.
            models.Index("owner", F("id").desc(), name="export_owner_newest"),
            # What a worker may claim, the longest due first.
            models.Index("lease_until", name="export_claimable", condition=Q(state="asked")),
            # What beat deletes.
            models.Index("expires_at", name="export_expires", condition=Q(expires_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.state}"
