"""The one way from the caches to Valkey: through a breaker that never lets it slow a reader down twice."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django_redis import get_redis_connection
from redis import Redis
from redis.exceptions import ConnectionError as ValkeyConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as ValkeyTimeoutError

from performance.caches.breaker import Breaker

logger = logging.getLogger(__name__)
UNREACHABLE: Any = object()


def key(*parts: str) -> str:
    """Return the name of a Valkey key of this installation."""
    return ":".join((str(settings.CACHES["default"]["KEY_PREFIX"]), *parts))


def client() -> Redis:
    connection: Redis = get_redis_connection("default")
    return connection


def _ping() -> None:
    client().ping()


breaker = Breaker(probe=_ping, errors=(ValkeyConnectionError, ValkeyTimeoutError, OSError))


def ask(command: Callable[[Redis], Any]) -> Any:
    """Run one command (or pipeline); return `UNREACHABLE` instead of raising when Valkey does not answer."""
    try:
        return breaker.call(lambda: command(client()), otherwise=UNREACHABLE)
    except ResponseError:
        # Full, read-only or holding something else under that name: this call does without, others may not.
        logger.warning("The cache refused a command", exc_info=True)
        return UNREACHABLE
