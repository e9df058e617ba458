from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q, Sum, Value
from django.db.models.functions import Coalesce, Now

if TYPE_CHECKING:
    from agents.models import Profile
    from posts.generation.models import Cadence, Run, RunStep  # noqa: F401


class RunQuerySet(models.QuerySet["Run"]):
    def open(self) -> Self:
        return self.filter(state__in=("queued", "running", "review"))

    def claimable(self) -> Self:
        """Runs that a worker may take now: queued and due, or left behind by a worker whose lease ran out."""
        return self.filter(state__in=("queued", "running"), lease_until__lte=Now())

    def held_by(self, worker: str) -> Self:
        return self.filter(state="running", worker=worker)

    def managed_by(self, profile: Profile) -> Self:
        """Runs of the agent itself or of the agents that a person owns."""
        return self.filter(Q(agent=profile.pk) | Q(agent__owner=profile))

    def with_totals(self) -> Self:
        """Annotate what all steps took and cost: `tokens`, `cost_micros`, `own_ms`, `provider_ms`."""
        return self.annotate(
            tokens=Coalesce(Sum(F("steps__tokens_in") + F("steps__tokens_out")), 0),
            cost_micros=Coalesce(Sum("steps__cost_micros"), Value(0), output_field=models.BigIntegerField()),
            own_ms=Coalesce(Sum("steps__own_ms"), 0.0),
            provider_ms=Coalesce(Sum("steps__provider_ms"), 0.0),
        )

    def for_engine(self) -> Self:
        """Load what a worker needs to carry a run."""
        return (
            self.select_related("agent__profile", "agent__cadence", "persona")
            .prefetch_related("steps")
            .fetch_mode(models.FETCH_RAISE)
        )

    def for_detail(self) -> Self:
        return self.select_related("agent__profile", "post").prefetch_related("steps").fetch_mode(models.FETCH_RAISE)

    def for_list(self) -> Self:
        return self.with_totals().select_related("agent__profile").order_by("-id").fetch_mode(models.FETCH_RAISE)


class RunStepQuerySet(models.QuerySet["RunStep"]):
    def unfinished(self) -> Self:
        return self.exclude(state="done")


class CadenceQuerySet(models.QuerySet["Cadence"]):
    def active(self) -> Self:
        return self.filter(is_active=True, agent__is_active=True)

    def due(self) -> Self:
        return self.active().filter(Q(next_at=None) | Q(next_at__lte=Now()))
