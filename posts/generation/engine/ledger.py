"""The writes that must hold whatever is killed, paused or restarted: each one statement, each fenced.

Each may be sent again when its answer was lost with the connection.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from performance.prepared.statement import run_together
from posts.generation.engine import statements
from posts.generation.engine.loading import run_of
from posts.generation.models import DailyBudget, Run, RunStep
from posts.generation.providers.base import Usage


class LostLease(Exception):
    """Another worker has the run now, or it was cancelled: nothing that this one holds may be written."""


class BudgetExceeded(Exception):
    """The agent's budget of today does not allow the call."""


@dataclass(kw_only=True)
class Outcome:
    """The result of one step, ready to be committed."""

    step_id: int
    input_hash: bytes
    output: dict[str, Any]
    answer: dict[str, Any] | None = None
    model: str = ""
    own_ms: float = 0.0
    provider_ms: float = 0.0
    usage: Usage = Usage()


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call that is about to be made."""

    step_id: int
    input_hash: bytes
    prompt: dict[str, Any]
    estimate: Usage


def claim(*, worker: str, limit: int, run_ids: Collection[int] | None = None) -> list[Run]:
    """Take up to `limit` runs that are due, of `run_ids` or of all; one statement."""
    values = [worker.encode(), b"%f" % settings.RUN_LEASE_SECONDS, b"%d" % limit]
    if run_ids is None:
        found = statements.CLAIM_DUE.run(connection, values)
    else:
        found = statements.CLAIM_THESE.run(connection, [*values, b"{%b}" % b",".join(b"%d" % pk for pk in run_ids)])
    return [run_of(orjson.loads(found.get_value(row, 0) or b"")) for row in range(found.ntuples)]


def renew(*, worker: str, run_ids: Collection[int]) -> int:
    """Prolong the leases of the runs that a worker carries; one statement for all of them."""
    held = Run.objects.held_by(worker).filter(pk__in=run_ids)
    return held.update(lease_until=Now() + dt.timedelta(seconds=settings.RUN_LEASE_SECONDS))


def write(*, run: Run, outcomes: list[Outcome], requests: list[Request], token_cap: int, micro_cap: int) -> None:
    """Commit what came back and what is asked next, both at once: a result never waits for the next call's estimate.

    Raises `LostLease`, or `BudgetExceeded` when only the results are written.
    """
    token, agent = b"%d" % run.fencing_token, b"%d" % run.agent_id
    asked = []
    if outcomes:
        asked.append((statements.FINISH, [_results(outcomes), token, agent]))
    if requests:
        asked.append((statements.START, [_wanted(requests), token, agent, b"%d" % token_cap, b"%d" % micro_cap]))
    found = run_together(connection, asked) if len(asked) > 1 else [asked[0][0].run(connection, asked[0][1])]
    if outcomes and int(found[0].get_value(0, 0) or 0) != len(outcomes):
        raise LostLease(run.pk)
    if requests:
        started, held = (int(found[-1].get_value(0, column) or 0) for column in (0, 1))
        if started == len(requests):
            return
        if held == len(requests):
            raise BudgetExceeded("The agent's budget of today is used up.")
        raise LostLease(run.pk)


def start(*, run: Run, requests: list[Request], token_cap: int, micro_cap: int) -> None:
    """Reserve and mark some calls before they are made. Raises `LostLease` or `BudgetExceeded`."""
    write(run=run, outcomes=[], requests=requests, token_cap=token_cap, micro_cap=micro_cap)


def finish(*, run: Run, outcomes: list[Outcome]) -> None:
    """Commit the results of some steps. Raises `LostLease` when any of them is not ours to write."""
    write(run=run, outcomes=outcomes, requests=[], token_cap=0, micro_cap=0)


def _wanted(requests: list[Request]) -> bytes:
    return orjson.dumps(
        [
            {
                "id": request.step_id,
                "input_hash": request.input_hash.hex(),
                "prompt": request.prompt,
                "tokens": request.estimate.tokens,
                "micros": request.estimate.cost_micros,
            }
            for request in requests
        ]
    )


def complete(
    *, run: Run, outcomes: list[Outcome], post_id: int | None, reply_id: int | None, memory: dict[str, Any]
) -> None:
    """Commit the last results of a run in the transaction of its post or message. Raises `LostLease`."""
    numbers = [b"%d" % number for number in (run.fencing_token, run.agent_id, run.pk, post_id or 0, reply_id or 0)]
    found = statements.COMPLETE.run(connection, [_results(outcomes), *numbers, orjson.dumps(memory)])
    if int(found.get_value(0, 0) or 0) != len(outcomes):
        raise LostLease(run.pk)


def _results(outcomes: list[Outcome]) -> bytes:
    return orjson.dumps(
        [
            {
                "id": outcome.step_id,
                "input_hash": outcome.input_hash.hex(),
                "output": outcome.output,
                "answer": outcome.answer,
                "model": outcome.model,
                "own_ms": outcome.own_ms,
                "provider_ms": outcome.provider_ms,
                "tokens_in": outcome.usage.tokens_in,
                "tokens_out": outcome.usage.tokens_out,
                "cost_micros": outcome.usage.cost_micros,
            }
            for outcome in outcomes
        ]
    )


def settle_unknown(*, run: Run, step: RunStep, is_paid: bool) -> None:
    """Give back what was reserved for a call that brought nothing, or count it as spent when it may be paid."""
    if step.reserved_on is None:
        return
    spent = 1 if is_paid else 0
    DailyBudget.objects.filter(agent=run.agent_id, day=step.reserved_on).update(
        tokens_reserved=F("tokens_reserved") - step.reserved_tokens,
        tokens_spent=F("tokens_spent") + step.reserved_tokens * spent,
        micros_reserved=F("micros_reserved") - step.reserved_micros,
        micros_spent=F("micros_spent") + step.reserved_micros * spent,
    )
