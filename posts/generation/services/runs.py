import orjson
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from agents.models import Agent, Profile
from posts.generation.engine import ledger
from posts.generation.engine.loading import instance_of
from posts.generation.models import Memory, Run, RunStep
from posts.generation.pipelines import PIPELINES

# One statement instead of a transaction of four; the unique key decides which of two that come at once creates it.
_CREATE = """
WITH wanted AS (
    SELECT * FROM jsonb_to_record(%s::jsonb)
        AS wanted(agent bigint, pipeline text, topic text, layer int, persona bigint, requested_by bigint,
                  conversation bigint, idempotency_key text, steps jsonb)
), created AS (
    INSERT INTO generation_run (agent_id, pipeline, state, topic, layer, idempotency_key, requested_by_id, persona_id,
                                conversation_id, take, worker, fencing_token, attempt, error)
    SELECT agent, pipeline, 'queued', topic, layer, idempotency_key, requested_by, persona,
           conversation, 1, '', 0, 0, '' FROM wanted
    ON CONFLICT DO NOTHING RETURNING *
), steps AS (
    INSERT INTO generation_runstep (run_id, take, name, position, state, attempt, fencing_token, own_ms, provider_ms,
                                    model, tokens_in, tokens_out, cost_micros, reserved_tokens, reserved_micros, error)
    SELECT created.id, 1, step.name, step.position - 1, 'waiting', 0, 0, 0, 0, '', 0, 0, 0, 0, 0, ''
    FROM created, wanted, jsonb_array_elements_text(wanted.steps) WITH ORDINALITY AS step(name, position)
)
SELECT to_jsonb(created)::text FROM created
"""


class RunStateError(Exception):
    """The run is in a state that does not allow it."""


def create_run(
    *,
    agent: Agent,
    pipeline: str = "post",
    topic: str = "",
    layer: int = 0,
    requested_by: Profile | None = None,
    conversation: int | None = None,
    idempotency_key: str = "",
) -> Run:
    """Create a run with all its steps, or return the one that was created with the same key before.

    In a conversation it is the one that goes on there.
    """
    wanted = {
        "agent": agent.pk,
        "pipeline": pipeline,
        "topic": topic,
        "layer": layer,
        "persona": agent.persona_id,
        "requested_by": requested_by.pk if requested_by else None,
        "conversation": conversation,
        "idempotency_key": idempotency_key,
        "steps": [step.name for step in PIPELINES[pipeline].steps],
    }
    with connection.cursor() as cursor:
        cursor.execute(_CREATE, [orjson.dumps(wanted).decode()])
        row = cursor.fetchone()
    if row is None:
        same = Q(idempotency_key=idempotency_key) if idempotency_key else Q(conversation=conversation)
        return Run.objects.filter(same, agent=agent).latest("pk")
    run = instance_of(Run, orjson.loads(row[0]))
    run.agent = agent
    return run


@transaction.atomic
def cancel_run(*, run: Run) -> Run:
    """Stop a run: whatever a worker still brings is refused. Raises `RunStateError` when it is over."""
    locked = _lock(run, *Run.OPEN)
    for step in locked.steps.select_for_update().filter(state=RunStep.State.RUNNING):
        # The call may have been made: its outcome is unknown.
        ledger.settle_unknown(run=locked, step=step, is_paid=True)
    locked.steps.filter(state=RunStep.State.RUNNING).update(state=RunStep.State.WAITING)
    return _end(locked, Run.State.CANCELLED, "")


@transaction.atomic
def approve_run(*, run: Run, reviewer: Profile | None) -> Run:
    """Let a run go on that waits for review. Raises `RunStateError` when it does not."""
    locked = _lock(run, Run.State.REVIEW)
    for step in locked.steps.select_for_update().filter(state=RunStep.State.REVIEW):
        step.output = {**(step.output or {}), "approved_by": reviewer.handle if reviewer else ""}
        step.state, step.finished_at = RunStep.State.DONE, Now()
        step.save(update_fields=["output", "state", "finished_at"])
    return _queue(locked)


@transaction.atomic
def reject_run(*, run: Run, reason: str = "") -> Run:
    """End a run that waits for review without a post. Raises `RunStateError` when it does not wait."""
    return _end(_lock(run, Run.State.REVIEW), Run.State.REJECTED, reason)


def retry_run(*, run: Run, step: str = "") -> Run:
    """Run a stopped run again, from `step` on or from where it stopped; what was done before is kept.

    Raises `RunStateError` for a run that is going on or has its post, and when another run took its topic.
    """
    try:
        with transaction.atomic():
            locked = _lock(run, Run.State.FAILED, Run.State.CANCELLED, Run.State.REJECTED, Run.State.REVIEW)
            pipeline = PIPELINES[locked.pipeline]
            steps = locked.steps.filter(take=locked.take)
            again = pipeline.after(step) if step else set(steps.unfinished().values_list("name", flat=True))
            steps.filter(name__in=again).update(
                state=RunStep.State.WAITING, attempt=0, output=None, answer=None, error="", finished_at=None
            )
            if "fetch_topic" in again:
                locked.content = None
                Memory.objects.filter(run=locked, is_refused=False).delete()
            return _queue(locked)
    except IntegrityError:
        raise RunStateError("Another run of this agent has taken its topic.") from None


def _lock(run: Run, *states: str) -> Run:
    """Lock a run, if it is in one of these states. Its steps are locked after it, as everywhere."""
    locked = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if locked.state not in states:
        raise RunStateError(f"The run is {locked.get_state_display()}.")
    return locked


def _queue(run: Run) -> Run:
    run.state, run.error, run.finished_at = Run.State.QUEUED, "", None
    Run.objects.filter(pk=run.pk).update(
        state=run.state, error="", finished_at=None, content=run.content, lease_until=Now()
    )
    return run


def _end(run: Run, state: str, reason: str) -> Run:
    """End a run and raise its fencing token, so that no worker can write it any more."""
    run.state, run.error = state, reason
    Run.objects.filter(pk=run.pk).update(
        state=state, error=reason, worker="", finished_at=Now(), fencing_token=F("fencing_token") + 1
    )
    run.steps.unfinished().update(fencing_token=F("fencing_token") + 1)
    return run
