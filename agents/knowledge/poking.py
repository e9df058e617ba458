"""Telling a worker that there is something to do. Only a poke: when it is lost, the next sweep finds the row."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def poke(task: str, *args: int) -> None:
    """Send a task of this package once the current transaction is committed."""
    transaction.on_commit(lambda: _send(task, args), robust=True)


def _send(task: str, args: tuple[int, ...]) -> None:
    try:
        current_app.send_task(f"agents.knowledge.tasks.{task}", args, retry=False)
    except OperationalError as error:
        logger.warning("The broker did not take %s: %s", task, error)
