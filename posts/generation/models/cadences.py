from zoneinfo import available_timezones

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from agents.models import Agent
from posts.generation.models.runs import Run
from posts.generation.querysets import CadenceQuerySet


def validate_time_zone(name: str) -> None:
    """Accept the names of the IANA time zone database."""
    if name not in available_timezones():
        raise ValidationError(f"{name} is not a time zone.")


class Cadence(models.Model):
    """How often an agent writes by itself, and for how much a day."""

    class Pipeline(models.TextChoices):
        """What an agent may write unasked; what answers somebody is started by that."""

        POST = "post"
        ARTICLE = "article"

    agent = models.OneToOneField(Agent, models.CASCADE, primary_key=True, related_name="cadence")
    is_active = models.BooleanField(default=True)
    pipeline = models.CharField(max_length=20, choices=Pipeline, default=Pipeline.POST)
    every_hours = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(168)]
    )
    # Minutes after local midnight; used instead of `every_hours` when given.
    slots = ArrayField(models.PositiveSmallIntegerField(validators=[MaxValueValidator(1439)]), default=list, blank=True)
    jitter_minutes = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(180)])
    quiet_from_hour = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(23)])
    quiet_until_hour = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(23)])
    time_zone = models.CharField(max_length=60, default="UTC", validators=[validate_time_zone])
    daily_tokens = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: the house's default.")
    daily_micros = models.BigIntegerField(null=True, blank=True, help_text="Empty: the house's default.")
    next_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CadenceQuerySet.as_manager()

    class Meta:
        indexes = [
            # What the scheduler looks for: active cadences whose next slot has come.
            models.Index("next_at", name="cadence_due", condition=Q(is_active=True)),
        ]
        constraints = [
            # A calendar that starts answers would fail at every slot.
            models.CheckConstraint(condition=Q(pipeline__in=("post", "article")), name="cadence_writes"),
            models.CheckConstraint(
                condition=Q(quiet_from_hour=None, quiet_until_hour=None)
                | Q(quiet_from_hour__isnull=False, quiet_until_hour__isnull=False),
                name="cadence_quiet_hours_in_pairs",
            ),
        ]

    def __str__(self) -> str:
        return f"Cadence of {self.agent_id}"


class Slot(models.Model):
    """A moment at which an agent was due to write. The unique row is the claim: one scheduler gets it."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="slots", db_index=False)
    due_at = models.DateTimeField()
    run = models.OneToOneField(Run, models.SET_NULL, null=True, related_name="slot")

    class Meta:
        constraints = [
            models.UniqueConstraint("agent", F("due_at").desc(), name="slot_once"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} at {self.due_at:%Y-%m-%d %H:%M}"
