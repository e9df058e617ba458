from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from agents.models.people import Profile


class Leaving(models.Model):
    """Somebody who has asked to be deleted: nobody sees anything of theirs from then on, and workers erase it.

    The row is the truth: whatever is killed, beat goes on with what has no `finished_at`.
    """

    class State(models.TextChoices):
        ERASING = "erasing"
        # Only texts are left that are on their way to a network at this moment: their outcome is found out first.
        WAITING = "waiting"
        FINISHED = "finished"

    profile = models.OneToOneField(Profile, models.CASCADE, primary_key=True, related_name="leaving")
    # The person's own and those of their agents, by number: what is posted under them is hidden until it is erased.
    profiles = ArrayField(models.BigIntegerField())
    # Pictures that their rows have forgotten already.
    files = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.ERASING)
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "people who leave"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="finished", finished_at__isnull=False)
                | Q(state__in=("erasing", "waiting"), finished_at=None),
                name="leaving_finished_has_time",
            ),
        ]
        indexes = [
            # Whose posts are hidden, asked by every timeline, and what beat has to go on with: a handful of rows.
            models.Index(F("asked_at"), name="leaving_unfinished", condition=Q(finished_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id}: {self.state}"
