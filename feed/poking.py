import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def poke(task: str) -> None:
    """Have a worker do a task now. Only a poke: when it is lost, beat does the same a little later."""
    try:
        current_app.send_task(task, retry=False)
    except OperationalError as error:
        logger.warning("The broker did not take %s: %s", task, error)
