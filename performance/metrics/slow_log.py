"""The slow log: one line per slow request, function or query, with the request id and without parameters."""

import logging
from functools import cache
from math import inf
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

logger = logging.getLogger("performance.slow")


@cache
def least_nanoseconds() -> float:
    """Return what is too long; kept, because reading a setting costs more than measuring."""
    return settings.SLOW_QUERY_THRESHOLD * 1e9 if settings.ENABLE_PERFORMANCE_LOGGING else inf


def _forget(**_setting: Any) -> None:
    least_nanoseconds.cache_clear()


setting_changed.connect(_forget)


def log_if_slow(*, kind: str, name: str, milliseconds: float, trace: str, **facts: object) -> None:
    """Log at WARNING from SLOW_QUERY_THRESHOLD seconds on, at ERROR from twice that.

    `name` is a route, a given name or a statement whose values were taken out. The fields are in the message
    as key=value, and on the record as `performance` for a JSON formatter.
    """
    warning_ms = least_nanoseconds() / 1e6
    if milliseconds <= warning_ms:
        return
    level = logging.ERROR if milliseconds > warning_ms * 2 else logging.WARNING
    fields = {"kind": kind, "ms": round(milliseconds, 1), "request_id": trace or "-", **facts, "name": name}
    line = " ".join(f"{field}={value}" for field, value in fields.items())
    logger.log(level, "slow %s", line, extra={"performance": fields})
