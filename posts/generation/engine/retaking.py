"""A topic of which nothing new can be said is refused, and its run begins again with another: so many times at most."""

from typing import Any

from django.db.models.functions import Now

from posts.generation import memory
from posts.generation.engine.flights import Flight
from posts.generation.models import Memory, Run, RunStep
from posts.generation.providers.base import NothingToSayError

MOST_TAKES = 3


class ToldBeforeError(Exception):
    """The agent wrote the same before."""


# What is wrong is the topic, neither the step nor its provider.
REFUSALS = (ToldBeforeError, NothingToSayError)


def draft_of(flight: Flight, output: dict[str, Any]) -> dict[str, Any]:
    """Return what will be remembered of a text."""
    return memory.draft_of(agent=flight.run.agent, title=output.get("title", ""), body=output["body"])


def refuse_told(draft: dict[str, Any], *, body: str) -> None:
    """Raise `ToldBeforeError` when a post of the agent tells what a text tells."""
    if memory.is_told(draft, body=body):
        raise ToldBeforeError("A post of the agent says the same.")


def may_begin_again(flight: Flight) -> bool:
    """Whether the topic is what went wrong, and something else can be tried: one that was asked for has no other."""
    is_refused = any(isinstance(error, REFUSALS) for error in flight.errors.values())
    return is_refused and not flight.run.topic and flight.run.take < MOST_TAKES


def begin_again(flight: Flight) -> None:
    """Begin a run's next take, in the transaction of the caller, who holds its row.

    What does not depend on the topic moves along; the rest stays as it was, with what it cost.
    """
    run = flight.run
    again = flight.pipeline.after(flight.pipeline.begins_again_at)
    steps = RunStep.objects.filter(run=run, take=run.take)
    steps.exclude(name__in=again).update(take=run.take + 1)
    steps.filter(state=RunStep.State.WAITING, attempt=0).delete()
    steps.exclude(state=RunStep.State.DONE).update(state=RunStep.State.REFUSED, finished_at=Now())
    RunStep.objects.bulk_create(
        RunStep(run=run, take=run.take + 1, name=step.name, position=position)
        for position, step in enumerate(flight.pipeline.steps)
        if step.name in again
    )
    Memory.objects.filter(run=run, is_refused=False).update(is_refused=True)
    Run.objects.filter(pk=run.pk).update(take=run.take + 1, content=None)
