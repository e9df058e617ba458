from django.db import models

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
