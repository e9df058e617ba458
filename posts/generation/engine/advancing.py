"""What can be done for one run right now. Safe to call again when the database went away in between."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from posts.generation import budgets
from posts.generation.engine import ledger
from posts.generation.engine.calls import estimate
from posts.generation.engine.ending import Ending, end
from posts.generation.engine.failing import give_up
from posts.generation.engine.flights import Answer, Call, Flight, hash_of, recorded
from posts.generation.engine.ledger import BudgetExceeded, LostLease, Outcome, Request
from posts.generation.engine.retaking import draft_of, refuse_told
from posts.generation.models import RunStep
from posts.generation.pipelines import Kind, Step

logger = logging.getLogger(__name__)


def receive(answer: Answer) -> None:
    """Turn an answer into the outcome of its step; runs no query."""
    flight, call = answer.flight, answer.call
    del flight.calls[call.step.name]
    if answer.result is None:
        flight.errors[call.step.name] = answer.error or RuntimeError("no answer")
        return
    started = time.perf_counter()
    try:
        call.generator.send(answer.result)
    except StopIteration as stop:
        output: dict[str, Any] = stop.value
    except Exception as error:
        logger.exception("Step %s could not use its answer.", call.step.name)
        flight.errors[call.step.name] = error
        return
    else:
        raise TypeError(f"Step {call.step.name} yields more than one prompt.")
    flight.outcomes[call.step.name] = Outcome(
        step_id=call.row.pk,
        input_hash=call.input_hash,
        output=output,
        answer=recorded(answer.result),
        model=answer.model,
        own_ms=call.own_ms + _ms_since(started),
        provider_ms=answer.provider_ms,
        usage=answer.usage,
    )


def advance(flight: Flight) -> list[Call]:
    """Commit what came back, do every own step that is ready, and return the calls that can be made now.

    Raises `LostLease` when the run is not ours any more.
    """
    calls: list[Call] = []
    last = flight.last_step()
    if last is not None and time.monotonic() >= flight.not_before:
        # What came back last is committed together with the post.
        _run_own(flight, last)
    is_going_on = True
    while is_going_on and not flight.is_over:
        _refuse_drafts(flight)
        ready = _ready(flight)
        calls += _write(flight, _prepared(flight, [step for step in ready if step.asks_provider]))
        own = [step for step in ready if not step.asks_provider]
        for step in own:
            _run_own(flight, step)
        is_going_on = bool(own or flight.outcomes)
    if flight.errors and not flight.calls and not flight.is_over:
        give_up(flight)
    return calls


def _ready(flight: Flight) -> list[Step]:
    """Return the steps that can start with the next commit; after a pause, if one is wanted between steps."""
    is_pausing = flight.outcomes and settings.PIPELINE_STEP_DELAY
    return [] if is_pausing or time.monotonic() < flight.not_before else flight.ready()


def _refuse_drafts(flight: Flight) -> None:
    """Look at what was drafted before more is spent on it, and before a person is asked."""
    for name, outcome in flight.outcomes.items():
        step = flight.pipeline[name]
        if step.is_draft:
            with _blamed_on(flight, step):
                refuse_told(draft_of(flight, outcome.output), body=outcome.output["body"])


def _prepared(flight: Flight, steps: list[Step]) -> list[Call]:
    calls = []
    for step in steps:
        with _blamed_on(flight, step):
            calls.append(_prepare(flight, step))
    return calls


def _write(flight: Flight, calls: list[Call]) -> list[Call]:
    """Commit what came back, write all prompts, reserve all estimates and mark all steps: one round trip for all."""
    if not flight.outcomes and not calls:
        return []
    started = time.perf_counter()
    tokens, micros = budgets.caps_of(flight.run.agent)
    try:
        ledger.write(
            run=flight.run,
            outcomes=list(flight.outcomes.values()),
            requests=[_request(call) for call in calls],
            token_cap=tokens,
            micro_cap=micros,
        )
    except BudgetExceeded as error:
        flight.errors.update({call.step.name: error for call in calls})
        calls = []
    if flight.outcomes:
        for name, outcome in flight.outcomes.items():
            flight.record(name, outcome)
        flight.outcomes.clear()
        flight.not_before = time.monotonic() + settings.PIPELINE_STEP_DELAY
    for call in calls:
        call.own_ms += _ms_since(started) / len(calls)
        flight.calls[call.step.name] = call
        flight.rows[call.step.name].state = RunStep.State.RUNNING
    return calls


def _request(call: Call) -> Request:
    return Request(
        step_id=call.row.pk, input_hash=call.input_hash, prompt=asdict(call.prompt), estimate=estimate(call.prompt)
    )


def _prepare(flight: Flight, step: Step) -> Call:
    started = time.perf_counter()
    inputs = flight.inputs_of(step)
    generator = step.function(flight.run, **inputs)
    prompt = next(generator)
    return Call(step, flight.rows[step.name], prompt, generator, hash_of(inputs), _ms_since(started))


def _run_own(flight: Flight, step: Step) -> None:
    started = time.perf_counter()
    inputs = flight.inputs_of(step)
    with _blamed_on(flight, step):
        output = step.function(flight.run, **inputs)
        outcome = Outcome(step_id=flight.rows[step.name].pk, input_hash=hash_of(inputs), output=output)
        if step.kind is Kind.READ:
            outcome.own_ms = _ms_since(started)
            flight.outcomes[step.name] = outcome
        else:
            end(Ending(flight, step, outcome, started))


@contextmanager
def _blamed_on(flight: Flight, step: Step) -> Iterator[None]:
    """Take an exception for the step's failure, unless it says that the database or the lease is gone."""
    try:
        yield
    except (OperationalError, InterfaceError, LostLease):
        raise
    except Exception as error:
        logger.warning("Step %s of run %s failed.", step.name, flight.run.pk, exc_info=True)
        flight.errors[step.name] = error


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
