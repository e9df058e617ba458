import datetime as dt
import random

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse

from agents.models import Notification, Profile
from agents.services.notifications import notify
from posts.generation.engine import ledger
from posts.generation.engine.flights import Flight
from posts.generation.engine.ledger import LostLease
from posts.generation.engine.retaking import REFUSALS, begin_again, may_begin_again
from posts.generation.models import Run, RunStep
from posts.generation.providers.base import ProviderError
from posts.generation.steps.answers import NothingToAnswerError

MAX_ATTEMPTS = 5
# It was answered, muted or blocked while the agent wrote.
NO_ANSWER_WANTED = (NothingToAnswerError, PermissionDenied)
LONGEST_PAUSE_SECONDS = 60.0


def give_up(flight: Flight) -> None:
    """Write what went wrong and leave the run: to be tried again after a pause, begun again, or failed.

    Called when no call is in flight any more, so that nothing that was paid is thrown away.
    """
    run = flight.run
    with transaction.atomic():
        held = Run.objects.select_for_update().filter(pk=run.pk, fencing_token=run.fencing_token, state="running")
        if not held.exists():
            raise LostLease(run.pk)
        rows = list(RunStep.objects.select_for_update().filter(run=run, take=run.take, name__in=flight.errors))
        is_refused = may_begin_again(flight)
        is_final = not is_refused and any(not _may_retry(flight.errors[row.name], row) for row in rows)
        for row in rows:
            _record(run, row, flight.errors[row.name], is_final=is_final)
        run.state = Run.State.FAILED if is_final else Run.State.QUEUED
        run.error = "; ".join(f"{name}: {_words(error)}" for name, error in flight.errors.items())[:2000]
        is_paused = not is_final and not is_refused
        pause = max(_pause(flight.errors[row.name], row) for row in rows) if is_paused else dt.timedelta(0)
        if is_refused:
            begin_again(flight)
        Run.objects.filter(pk=run.pk).update(
            state=run.state,
            error=run.error,
            worker="",
            lease_until=Now() + pause,
            finished_at=Now() if is_final else None,
        )
        if is_final and run.conversation_id:
            _tell_owner(flight)
    flight.is_over = True


def _tell_owner(flight: Flight) -> None:
    """Tell the agent's owner that a message stays without an answer, unless none was wanted any more."""
    run = flight.run
    if any(isinstance(error, NO_ANSWER_WANTED) for error in flight.errors.values()):
        return
    notify(
        profiles=Profile.objects.filter(pk=run.agent.owner_id),
        kind=Notification.Kind.MESSAGE,
        actor=None,
        text=f"@{run.agent.profile.handle} could not answer a message",
        url=reverse("reader:run", args=[run.pk]),
        key=f"unanswered:{run.pk}",
    )


def _record(run: Run, row: RunStep, error: Exception, *, is_final: bool) -> None:
    if row.state == RunStep.State.RUNNING:
        ledger.settle_unknown(run=run, step=row, is_paid=not isinstance(error, ProviderError) or error.is_paid)
    if isinstance(error, REFUSALS):
        row.state = RunStep.State.REFUSED
    else:
        row.state = RunStep.State.FAILED if is_final else RunStep.State.WAITING
    row.error = _words(error)[:2000]
    row.save(update_fields=["state", "error"])


def _may_retry(error: Exception, row: RunStep) -> bool:
    return isinstance(error, ProviderError) and error.is_retryable and row.attempt < MAX_ATTEMPTS


def _pause(error: Exception, row: RunStep) -> dt.timedelta:
    """Return how long to wait: what the provider asked for, else exponential with full jitter."""
    asked = error.retry_after if isinstance(error, ProviderError) else None
    seconds = asked if asked is not None else random.uniform(0, 2.0**row.attempt)
    return dt.timedelta(seconds=min(seconds, LONGEST_PAUSE_SECONDS))


def _words(error: Exception) -> str:
    text = str(error).replace("\x00", "")
    return text if text else type(error).__name__
