from celery import shared_task

from agents.services import pruning


@shared_task
def prune() -> int:
    """Forget what is remembered for a while only; return how many rows."""
    return pruning.prune()
