from django.db import IntegrityError, transaction

from agents.models import Agent, Profile
from posts.generation.models import Run, RunStep
from posts.generation.pipelines import PIPELINES


def create_run(
    *,
    agent: Agent,
    pipeline: str = "post",
    topic: str = "",
    layer: int = 0,
    requested_by: Profile | None = None,
    idempotency_key: str = "",
) -> Run:
    """Create a run with all its steps, or return the one that was created with the same key before."""
    try:
        with transaction.atomic():
            run = Run.objects.create(
                agent=agent,
                pipeline=pipeline,
                topic=topic,
                layer=layer,
                persona_id=agent.persona_id,
                requested_by=requested_by,
                idempotency_key=idempotency_key,
            )
            RunStep.objects.bulk_create(
                RunStep(run=run, name=step.name, position=position)
                for position, step in enumerate(PIPELINES[pipeline].steps)
            )
    except IntegrityError:
        if not idempotency_key:
            raise
        return Run.objects.get(agent=agent, idempotency_key=idempotency_key)
    return run
