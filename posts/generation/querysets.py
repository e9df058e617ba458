from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.contrib.postgres.search import TrigramSimilarity
from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Left, Now
from pgvector.django import CosineDistance, HalfVectorField

if TYPE_CHECKING:
    from agents.models import Profile
    from posts.generation.models import Cadence, Memory, Run, RunStep  # noqa: F401

# Above this trigram similarity two titles say the same thing, and below this cosine distance.
SAME_WORDS = 0.6
SAME_MEANING = 0.12
# Two texts of one agent on one theme are alike anyway: only what is told again is as near as this.
SAME_TEXT = 0.04
SAME_BODY = 0.6
# Comparing the words of long texts takes a millisecond: so many of them, and so many characters of each.
COMPARED, LONGEST = 10, 4000
# How much of what an agent wrote is looked at: bounds the time of a check.
REMEMBERED = 1000


def _sum_of_steps(value: Combinable, output_field: models.Field[Any, Any]) -> Coalesce:
    steps = apps.get_model("generation", "RunStep")._default_manager.filter(run=OuterRef("pk")).order_by()
    total = steps.values("run").annotate(total=Sum(value, output_field=output_field)).values("total")
    return Coalesce(Subquery(total), Value(0), output_field=output_field)


class RunQuerySet(models.QuerySet["Run"]):
    def open(self) -> Self:
        return self.filter(state__in=("queued", "running", "review"))

    def claimable(self) -> Self:
        """Runs that a worker may take now: queued and due, or left behind by a worker whose lease ran out."""
        return self.filter(state__in=("queued", "running"), lease_until__lte=Now())

    def left_alone(self, *, seconds: float) -> Self:
        """Runs that have been due for so long while no worker carries any; where one does, they wait for its slots."""
        carried = self.model._default_manager.filter(state="running", lease_until__gt=Now())
        return self.claimable().filter(~Exists(carried), lease_until__lte=Now() - timedelta(seconds=seconds))

    def held_by(self, worker: str) -> Self:
        return self.filter(state="running", worker=worker)

    def managed_by(self, profile: Profile) -> Self:
        """Runs of the agent itself or of the agents that a person owns."""
        return self.filter(Q(agent=profile.pk) | Q(agent__owner=profile))

    def with_totals(self) -> Self:
        """Annotate what all steps took and cost: `tokens`, `cost_micros`, `own_ms`, `provider_ms`.

        Subqueries rather than a join: they are computed for the rows of the page only.
        """
        return self.annotate(
            tokens=_sum_of_steps(F("tokens_in") + F("tokens_out"), models.BigIntegerField()),
            cost_micros=_sum_of_steps(F("cost_micros"), models.BigIntegerField()),
            own_ms=_sum_of_steps(F("own_ms"), models.FloatField()),
            provider_ms=_sum_of_steps(F("provider_ms"), models.FloatField()),
        )

    def for_detail(self) -> Self:
        return (
            self.with_totals().select_related("agent__profile").prefetch_related("steps").fetch_mode(models.FETCH_RAISE)
        )

    def for_replay(self) -> Self:
        return self.select_related("post", "reply").prefetch_related("steps").fetch_mode(models.FETCH_RAISE)

    def for_receipt(self) -> Self:
        return (
            self.select_related("agent__profile", "agent__owner", "persona", "post", "reply")
            .prefetch_related("steps")
            .fetch_mode(models.FETCH_RAISE)
        )

    def for_list(self) -> Self:
        return self.with_totals().select_related("agent__profile").order_by("-id").fetch_mode(models.FETCH_RAISE)


class RunStepQuerySet(models.QuerySet["RunStep"]):
    def for_citations(self, post_id: int) -> Self:
        """The steps of a post's run that say which passages it was written from."""
        steps = self.filter(run__post=post_id, take=F("run__take"), name__in=("fetch_topic", "research"))
        return steps.only("name", "output")

    def unfinished(self) -> Self:
        return self.exclude(state="done")


class MemoryQuerySet(models.QuerySet["Memory"]):
    def standing(self) -> Self:
        """Leave out the topics of runs that came to nothing."""
        going = Q(run__state__in=("queued", "running", "review", "done"))
        return self.filter(Q(run=None) | Q(is_refused=True) | going)

    def newest_of(self, agent: int) -> Self:
        newest = self.filter(agent=agent).order_by("-id").values("pk")[:REMEMBERED]
        return self.filter(pk__in=newest)

    def near_in_words(self, text: str) -> Self:
        return self.alias(words=TrigramSimilarity("text", text)).filter(words__gt=SAME_WORDS)

    def near(self, text: str, *, vector: str, model: str) -> Self:
        """What says the same in much the same words or in others; `vector` is the text's by `model`, written out."""
        found = self.alias(words=TrigramSimilarity("text", text), distance=_distance("embedding", vector, model))
        return found.filter(Q(words__gt=SAME_WORDS) | Q(distance__lt=SAME_MEANING))

    def telling(self, text: str, *, vector: str, model: str) -> Self:
        """Posts that tell what a text tells, among the few whose vectors are nearest to its own."""
        distance = _distance("body_embedding", vector, model)
        nearest = self.of_posts().order_by(distance).values("pk")[:COMPARED]
        found = Q(words__gt=SAME_BODY) | Q(distance__lt=SAME_TEXT)
        return self.alias(words=_likeness(text), distance=distance).filter(found, pk__in=nearest)

    def telling_in_words(self, text: str) -> Self:
        """Posts that tell what a text tells in much the same words, among the newest few."""
        newest = self.of_posts().order_by("-id").values("pk")[:COMPARED]
        return self.alias(words=_likeness(text)).filter(words__gt=SAME_BODY, pk__in=newest)

    def of_posts(self) -> Self:
        return self.filter(post__isnull=False)


def _likeness(text: str) -> TrigramSimilarity:
    return TrigramSimilarity(Left("post__body", LONGEST), Left(Value(text), LONGEST))  # type: ignore[arg-type]


def _distance(column: str, vector: str, model: str) -> Case:
    # A plan that knows no values folds none: outside a sub-select the text would be read as a vector for every row.
    read_once = Func(
        Cast(Value(vector), HalfVectorField()), template="(SELECT %(expressions)s)", output_field=HalfVectorField()
    )
    # The vectors of another model may have another length: comparing them would be an error.
    comparable = When(embedding_model=model, then=CosineDistance(column, read_once))
    return Case(comparable, output_field=models.FloatField())


class CadenceQuerySet(models.QuerySet["Cadence"]):
    def active(self) -> Self:
        return self.filter(is_active=True, agent__is_active=True)

    def due(self, now: datetime) -> Self:
        """Cadences whose next slot has come, or that have none yet."""
        return self.active().filter(Q(next_at=None) | Q(next_at__lte=now))

    def for_studio(self, viewer: Profile) -> Self:
        """The cadences of an agent itself or of the agents that a person owns, with their names."""
        mine = self.filter(Q(agent=viewer.pk) | Q(agent__owner=viewer))
        return mine.select_related("agent__profile").fetch_mode(models.FETCH_RAISE)
