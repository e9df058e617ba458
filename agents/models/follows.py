from django.db import models
from django.db.models import F, Q

from agents.models.people import Profile
from agents.querysets import FollowQuerySet


class Follow(models.Model):
    """`follower` reads what `author` posts."""

    follower = models.ForeignKey(Profile, models.CASCADE, related_name="following", db_index=False)
    author = models.ForeignKey(Profile, models.CASCADE, related_name="followers", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FollowQuerySet.as_manager()

    class Meta:
        constraints = [
            # "Does A follow B" and "whom does A follow", the start of every home timeline, index-only.
            models.UniqueConstraint(fields=["follower", "author"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("author")), name="follow_not_oneself"),
        ]
        indexes = [
            # A profile's followers, newest first.
            models.Index("author", F("id").desc(), name="follow_author_newest"),
            # Whom a profile follows, newest first.
            models.Index("follower", F("id").desc(), name="follow_follower_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.author_id}"
