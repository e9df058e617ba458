from datetime import time

from django.core.validators import MaxValueValidator
from django.db import models

from agents.models import Agent
from posts.publishing.models.accounts import SocialAccount


class PublishingPolicy(models.Model):
    """What an agent may do with its owner's accounts."""

    agent = models.OneToOneField(Agent, models.CASCADE, primary_key=True, related_name="publishing_policy")
    owner_approves = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.agent_id}: {'owner approves' if self.owner_approves else 'publishes by itself'}"


class PostingSlot(models.Model):
    """A time of the week, in the account's own time zone, at which it likes to publish."""

    account = models.ForeignKey(SocialAccount, models.CASCADE, related_name="slots", db_index=False)
    # 0 is Monday.
    weekday = models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)])
    local_time = models.TimeField(default=time(9, 0))

    class Meta:
        constraints = [
            # Also the index behind "the slots of this account", in order.
            models.UniqueConstraint(fields=["account", "weekday", "local_time"], name="posting_slot_once"),
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="posting_slot_weekday"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.weekday} {self.local_time}"
