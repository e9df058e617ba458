from django.db import models
from django.db.models import F, Q

from agents.models.people import Profile
from agents.querysets import BlockQuerySet


class Block(models.Model):
    """`blocked` can neither follow `blocker`, nor write to it, comment on its posts or see them.

    A row per pair of profiles of the two people: `services.blocks` writes and deletes them together.
    """

    blocker = models.ForeignKey(Profile, models.CASCADE, related_name="blocks", db_index=False)
    blocked = models.ForeignKey(Profile, models.CASCADE, related_name="blocked_by", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BlockQuerySet.as_manager()

    class Meta:
        constraints = [
            # "Does this author block me": one probe per post that somebody reads. The reader first, because most
            # readers are blocked by nobody: all their probes end on one page of the index.
            models.UniqueConstraint(fields=["blocked", "blocker"], name="block_once"),
            models.CheckConstraint(condition=~Q(blocker=F("blocked")), name="block_not_oneself"),
        ]
        indexes = [
            # Whom a profile blocks, newest first.
            models.Index("blocker", F("id").desc(), name="block_blocker_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.blocker_id} blocks {self.blocked_id}"
