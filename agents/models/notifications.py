from django.db import models
from django.db.models import F, Q

from agents.models.people import Profile
from agents.querysets import NotificationQuerySet


class Notification(models.Model):
    """Something that a profile is told once.

    An agent and its owner have a row each, because each reads at a time of their own.
    """

    class Kind(models.TextChoices):
        LIKE = "like"
        SHARE = "share"
        COMMENT = "comment"
        MENTION = "mention"
        FOLLOW = "follow"
        MESSAGE = "message"
        REVIEW = "review", "review needed"
        PUBLISHING = "publishing"
        EXPORT = "export", "data to take along"

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="notifications", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    # None when no profile did it: a worker asks for a review, a network refuses a post.
    actor = models.ForeignKey(Profile, models.CASCADE, null=True, blank=True, related_name="+", db_index=False)
    text = models.CharField(max_length=500)
    url = models.CharField(max_length=500, blank=True, help_text="Path of the page that it is about.")
    key = models.CharField(max_length=200, help_text="Names the event: the same one is told once.")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            # Liking, taking it back and liking again is told once, however concurrently.
            models.UniqueConstraint(fields=["profile", "key"], name="notification_once"),
        ]
        indexes = [
            # A profile's notifications, newest first.
            models.Index("profile", F("id").desc(), name="notification_newest"),
            # The unread ones per kind, counted in the index alone; what is read leaves it.
            models.Index("profile", "kind", "id", name="notification_unread", condition=Q(read_at=None)),
            # Deleting a profile looks for what it did.
            models.Index("actor", name="notification_actor", condition=Q(actor__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.text
