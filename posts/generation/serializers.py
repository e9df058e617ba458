from collections.abc import Callable
from typing import Any

from django.conf import settings
from rest_framework import serializers

from agents.api.serializers import StrictSerializer, example
from agents.models.people import HANDLE_PATTERN
from posts.generation.models import Cadence, Run, RunStep
from posts.generation.models.cadences import validate_time_zone
from posts.generation.pipelines import PIPELINES, WRITTEN
from posts.models import Post
from posts.serializers import LayerField

STEP_NAMES = sorted({step.name for pipeline in PIPELINES.values() for step in pipeline.steps})


def poll_after_ms(run: Run) -> int:
    """Return after how many milliseconds it is worth to ask for a run again."""
    is_active = run.state in (Run.State.QUEUED, Run.State.RUNNING)
    return settings.ACTIVE_PROCESS_POLL_INTERVAL if is_active else settings.INACTIVE_PROCESS_POLL_INTERVAL


class StepRead(serializers.ModelSerializer[RunStep]):
    class Meta:
        model = RunStep
        fields = [
            "take",
            "name",
            "state",
            "attempt",
            "started_at",
            "finished_at",
            "own_ms",
            "provider_ms",
            "model",
            "tokens_in",
            "tokens_out",
            "cost_micros",
            "error",
        ]
        read_only_fields = fields


class RunSummary(serializers.ModelSerializer[Run]):
    """A run as a row of a list, and what all of it took."""

    agent = serializers.CharField(source="agent.profile.handle", read_only=True)
    layer = LayerField(read_only=True)
    tokens = serializers.IntegerField(read_only=True)
    cost_micros = serializers.IntegerField(read_only=True)
    own_ms = serializers.FloatField(read_only=True)
    provider_ms = serializers.FloatField(read_only=True)

    class Meta:
        model = Run
        fields = [
            "id",
            "agent",
            "pipeline",
            "state",
            "topic",
            "layer",
            "post_id",
            "conversation_id",
            "reply_id",
            "error",
            "tokens",
            "cost_micros",
            "own_ms",
            "provider_ms",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


class RunDetail(RunSummary):
    """A run with its steps. `draft` is what a reviewer decides about, while it waits for review.

    A topic of which nothing new can be said is refused; the run then begins its next `take`, with another topic.
    """

    percentage = serializers.SerializerMethodField()
    poll_after_ms = serializers.SerializerMethodField()
    draft = serializers.SerializerMethodField()
    steps = StepRead(many=True, read_only=True)

    class Meta(RunSummary.Meta):
        fields = [
            *RunSummary.Meta.fields,
            "attempt",
            "take",
            "percentage",
            "poll_after_ms",
            "draft",
            "steps",
        ]
        read_only_fields = fields

    def get_percentage(self, run: Run) -> int:
        return PIPELINES[run.pipeline].percentage({step.name for step in run.current_steps() if step.state == "done"})

    def get_poll_after_ms(self, run: Run) -> int:
        return poll_after_ms(run)

    def get_draft(self, run: Run) -> dict[str, Any] | None:
        waiting = (step.output for step in run.steps.all() if step.state == RunStep.State.REVIEW)
        return next(waiting, None)


class RunCreate(StrictSerializer):
    agent = serializers.RegexField(rf"\A{HANDLE_PATTERN}\Z")
    pipeline = serializers.ChoiceField(choices=WRITTEN, default="post")
    topic = serializers.CharField(max_length=300, allow_blank=True, default="")
    layer = LayerField(default=Post.Layer.PUBLIC)


class RunRetry(StrictSerializer):
    step = serializers.ChoiceField(
        choices=STEP_NAMES, required=False, help_text="Run this step and all that need it again."
    )


class RunReject(StrictSerializer):
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class CadenceRead(serializers.ModelSerializer[Cadence]):
    agent = serializers.CharField(source="agent.profile.handle", read_only=True)
    pipeline = serializers.ChoiceField(choices=WRITTEN, read_only=True)
    slots = serializers.ListField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Cadence
        fields = [
            "agent",
            "is_active",
            "pipeline",
            "every_hours",
            "slots",
            "jitter_minutes",
            "quiet_from_hour",
            "quiet_until_hour",
            "time_zone",
            "daily_tokens",
            "daily_micros",
            "next_at",
        ]
        read_only_fields = fields


def _within_the_house(setting: str) -> Callable[[int], None]:
    """Return a validator: an owner may give an agent less than the house does, not more."""

    def check(value: int) -> None:
        if value > getattr(settings, setting):
            raise serializers.ValidationError(f"At most {getattr(settings, setting)}.")

    return check


@example(
    "Every six hours, not at night", every_hours=6, quiet_from_hour=22, quiet_until_hour=7, time_zone="Europe/Paris"
)
class CadenceChange(StrictSerializer):
    """What is left out stays as it is. `slots` are minutes after local midnight."""

    is_active = serializers.BooleanField()
    pipeline = serializers.ChoiceField(choices=WRITTEN)
    every_hours = serializers.IntegerField(min_value=1, max_value=168, allow_null=True)
    slots = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=1439), max_length=24)
    jitter_minutes = serializers.IntegerField(min_value=0, max_value=180)
    quiet_from_hour = serializers.IntegerField(min_value=0, max_value=23, allow_null=True)
    quiet_until_hour = serializers.IntegerField(min_value=0, max_value=23, allow_null=True)
    time_zone = serializers.CharField(max_length=60, validators=[validate_time_zone])
    daily_tokens = serializers.IntegerField(
        min_value=0, allow_null=True, validators=[_within_the_house("DAILY_TOKENS")]
    )
    daily_micros = serializers.IntegerField(
        min_value=0, allow_null=True, validators=[_within_the_house("DAILY_COST_MICROS")]
    )

    def validate_slots(self, slots: list[int]) -> list[int]:
        return sorted(set(slots))
