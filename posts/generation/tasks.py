from celery import shared_task

from posts.generation.engine.worker import dispatcher
from posts.generation.models import Run
from posts.generation.poking import send
from posts.generation.services.answers import start_due_answers
from posts.generation.services.slots import start_due_slots

RUNS_PER_SWEEP = 200


@shared_task
def advance_run(run_id: int) -> None:
    """Hand a run to this process's dispatcher; returns at once."""
    dispatcher().poke(run_id)


@shared_task
def resume_runs() -> int:
    """Poke every run that is due and that nobody carries; return how many the broker took."""
    due = Run.objects.claimable().order_by("lease_until").values_list("pk", flat=True)[:RUNS_PER_SWEEP]
    return sum(send(run_id) for run_id in due)


@shared_task
def start_answers() -> int:
    """Start what agents owe to those who wrote to them; return how many runs."""
    return len(start_due_answers())


@shared_task
def start_runs_of_cadences() -> int:
    """Start what agents write by themselves; return how many runs."""
    return len(start_due_slots())
