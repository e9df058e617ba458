"""The writes that must hold whatever is killed, paused or restarted: each one statement, each fenced.

SQL, because each of them changes several tables at once and only data-modifying CTEs do that in one round
trip without a transaction block; a run then takes 25 statements instead of 45.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from psycopg.types.json import Jsonb

from posts.generation.models import DailyBudget, Run, RunStep
from posts.generation.providers.base import Usage

# Takes the runs that are due and raises their fencing token, also on each of their steps: from here on nobody
# else can write them. What was reserved for calls whose end nobody saw counts as spent.
_CLAIM = """
WITH due AS (
    SELECT id FROM generation_run
    WHERE state IN ('queued', 'running') AND lease_until <= statement_timestamp()
      AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s))
    ORDER BY lease_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE generation_run AS run
    SET state = 'running', worker = %(worker)s, fencing_token = fencing_token + 1, attempt = attempt + 1,
        lease_until = statement_timestamp() + %(lease)s * interval '1 second',
        started_at = coalesce(started_at, statement_timestamp()), error = ''
    FROM due WHERE run.id = due.id RETURNING run.id, run.agent_id, run.fencing_token
), held AS (
    SELECT step.* FROM generation_runstep AS step JOIN claimed ON step.run_id = claimed.id
    WHERE step.state IN ('waiting', 'running', 'failed') FOR UPDATE OF step
), lost AS (
    SELECT claimed.agent_id, held.reserved_on AS day,
           sum(held.reserved_tokens) AS tokens, sum(held.reserved_micros) AS micros
    FROM held JOIN claimed ON claimed.id = held.run_id
    WHERE held.state = 'running' GROUP BY claimed.agent_id, held.reserved_on
), settled AS (
    UPDATE generation_dailybudget AS budget
    SET tokens_reserved = tokens_reserved - lost.tokens, tokens_spent = tokens_spent + lost.tokens,
        micros_reserved = micros_reserved - lost.micros, micros_spent = micros_spent + lost.micros
    FROM lost WHERE budget.agent_id = lost.agent_id AND budget.day = lost.day
), fenced AS (
    UPDATE generation_runstep AS step SET fencing_token = claimed.fencing_token, state = 'waiting'
    FROM claimed, held WHERE step.id = held.id AND held.run_id = claimed.id
)
SELECT id FROM claimed
"""

# Reserves the estimates of some calls in the agent's budget of today and marks their steps as running, all or
# none. The conditional upsert queues concurrent runs on one row: no cap is ever overspent.
_START = """
WITH wanted AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(hashes)s::bytea[], %(prompts)s::jsonb[],
                         %(tokens)s::bigint[], %(micros)s::bigint[])
        AS wanted(id, input_hash, prompt, tokens, micros)
), mine AS (
    SELECT step.id FROM generation_runstep AS step JOIN wanted USING (id)
    WHERE step.fencing_token = %(token)s AND step.state = 'waiting' FOR UPDATE OF step
), needed AS (
    SELECT sum(tokens) AS tokens, sum(micros) AS micros FROM wanted JOIN mine USING (id)
    HAVING count(*) = cardinality(%(ids)s)
), reserved AS (
    INSERT INTO generation_dailybudget AS budget
        (agent_id, day, tokens_reserved, tokens_spent, micros_reserved, micros_spent)
    SELECT %(agent)s, (statement_timestamp() AT TIME ZONE 'UTC')::date, tokens, 0, micros, 0 FROM needed
    WHERE tokens <= %(token_cap)s AND micros <= %(micro_cap)s
    ON CONFLICT (agent_id, day) DO UPDATE
    SET tokens_reserved = budget.tokens_reserved + excluded.tokens_reserved,
        micros_reserved = budget.micros_reserved + excluded.micros_reserved
    WHERE budget.tokens_spent + budget.tokens_reserved + excluded.tokens_reserved <= %(token_cap)s
      AND budget.micros_spent + budget.micros_reserved + excluded.micros_reserved <= %(micro_cap)s
    RETURNING day
)
UPDATE generation_runstep AS step
SET state = 'running', attempt = attempt + 1, started_at = statement_timestamp(), error = '',
    input_hash = wanted.input_hash, prompt = wanted.prompt,
    reserved_tokens = wanted.tokens, reserved_micros = wanted.micros, reserved_on = reserved.day
FROM wanted, reserved WHERE step.id = wanted.id
"""

# Writes the results of some steps and turns what was reserved for them into what they cost.
_FINISH = """
WITH results AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(hashes)s::bytea[], %(outputs)s::jsonb[], %(answers)s::jsonb[],
                         %(models)s::text[], %(own)s::float8[], %(provider)s::float8[],
                         %(tokens_in)s::int[], %(tokens_out)s::int[], %(costs)s::bigint[])
        AS results(id, input_hash, output, answer, model, own_ms, provider_ms, tokens_in, tokens_out, cost_micros)
), finished AS (
    UPDATE generation_runstep AS step
    SET state = 'done', finished_at = statement_timestamp(), error = '',
        started_at = CASE WHEN step.state = 'waiting' THEN statement_timestamp() - results.own_ms * interval '1 ms'
                          ELSE step.started_at END,
        attempt = attempt + CASE WHEN step.state = 'waiting' THEN 1 ELSE 0 END,
        input_hash = results.input_hash, output = results.output, answer = results.answer, model = results.model,
        own_ms = results.own_ms, provider_ms = results.provider_ms, tokens_in = results.tokens_in,
        tokens_out = results.tokens_out, cost_micros = results.cost_micros
    FROM results
    WHERE step.id = results.id AND step.fencing_token = %(token)s AND step.state IN ('waiting', 'running')
    RETURNING step.id, step.reserved_on, step.reserved_tokens, step.reserved_micros,
              step.tokens_in + step.tokens_out AS tokens, step.cost_micros
), sums AS (
    SELECT reserved_on AS day, sum(reserved_tokens) AS reserved_tokens, sum(reserved_micros) AS reserved_micros,
           sum(tokens) AS tokens, sum(cost_micros) AS micros
    FROM finished WHERE reserved_on IS NOT NULL GROUP BY reserved_on
), settled AS (
    UPDATE generation_dailybudget AS budget
    SET tokens_reserved = budget.tokens_reserved - sums.reserved_tokens,
        tokens_spent = budget.tokens_spent + sums.tokens,
        micros_reserved = budget.micros_reserved - sums.reserved_micros,
        micros_spent = budget.micros_spent + sums.micros
    FROM sums WHERE budget.agent_id = %(agent)s AND budget.day = sums.day
)
SELECT count(*) FROM finished
"""


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


def claim(*, worker: str, limit: int, run_ids: list[int] | None = None) -> list[Run]:
    """Take up to `limit` runs that are due, of `run_ids` or of all; three statements."""
    with connection.cursor() as cursor:
        lease = settings.RUN_LEASE_SECONDS
        cursor.execute(_CLAIM, {"worker": worker, "limit": limit, "ids": run_ids, "lease": lease})
        claimed = [pk for (pk,) in cursor.fetchall()]
    return list(Run.objects.for_engine().filter(pk__in=claimed)) if claimed else []


def renew(*, worker: str) -> int:
    """Prolong the lease of every run that a worker holds; one statement for all of them."""
    return Run.objects.held_by(worker).update(lease_until=Now() + dt.timedelta(seconds=settings.RUN_LEASE_SECONDS))


def start(*, run: Run, requests: list[Request], token_cap: int, micro_cap: int) -> None:
    """Reserve and mark some calls before they are made. Raises `LostLease` or `BudgetExceeded`."""
    ids = [request.step_id for request in requests]
    with connection.cursor() as cursor:
        cursor.execute(
            _START,
            {
                "agent": run.agent_id,
                "token": run.fencing_token,
                "token_cap": token_cap,
                "micro_cap": micro_cap,
                "ids": ids,
                "hashes": [request.input_hash for request in requests],
                "prompts": [Jsonb(request.prompt) for request in requests],
                "tokens": [request.estimate.tokens for request in requests],
                "micros": [request.estimate.cost_micros for request in requests],
            },
        )
        if cursor.rowcount == len(requests):
            return
    if RunStep.objects.filter(pk__in=ids, fencing_token=run.fencing_token, state="waiting").count() == len(ids):
        raise BudgetExceeded("The agent's budget of today is used up.")
    raise LostLease(run.pk)


def finish(*, run: Run, outcomes: list[Outcome]) -> None:
    """Commit the results of some steps. Raises `LostLease` when any of them is not ours to write."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FINISH,
            {
                "agent": run.agent_id,
                "token": run.fencing_token,
                "ids": [outcome.step_id for outcome in outcomes],
                "hashes": [outcome.input_hash for outcome in outcomes],
                "outputs": [Jsonb(outcome.output) for outcome in outcomes],
                "answers": [Jsonb(outcome.answer) if outcome.answer else None for outcome in outcomes],
                "models": [outcome.model for outcome in outcomes],
                "own": [outcome.own_ms for outcome in outcomes],
                "provider": [outcome.provider_ms for outcome in outcomes],
                "tokens_in": [outcome.usage.tokens_in for outcome in outcomes],
                "tokens_out": [outcome.usage.tokens_out for outcome in outcomes],
                "costs": [outcome.usage.cost_micros for outcome in outcomes],
            },
        )
        (finished,) = cursor.fetchone()
    if finished != len(outcomes):
        raise LostLease(run.pk)


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
