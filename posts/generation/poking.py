"""Tell a worker that a run is due. Only a poke: when it is lost, the next sweep finds the run."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def poke(run_id: int) -> None:
    """Send a run to the workers once the current transaction is committed."""
    transaction.on_commit(lambda: send(run_id), robust=True)


def send(run_id: int) -> bool:
    """Send a run to the workers now; return whether the broker took it."""
    try:
        current_app.send_task("posts.generation.tasks.advance_run", (run_id,), queue="generation", retry=False)
    except OperationalError as error:
        logger.warning("The broker did not take run %s: %s", run_id, error)
        return False
    return True
