"""The slow log: one line per slow request, function or query, with the request id and without parameters."""

import logging

from django.conf import settings

logger = logging.getLogger("performance.slow")

# What is quicker is never slow, and reading a setting costs more than all of this comparison.
LEAST_MS = 5.0


def log_if_slow(*, kind: str, name: str, milliseconds: float, trace: str, **facts: object) -> None:
    """Log at WARNING from SLOW_QUERY_THRESHOLD seconds on, at ERROR from twice that.

    `name` is a route, a given name or a statement whose values were taken out. The fields are in the message
    as key=value, and on the record as `performance` for a JSON formatter.
    """
    if milliseconds < LEAST_MS:
        return
    warning_ms = settings.SLOW_QUERY_THRESHOLD * 1000
    if milliseconds <= warning_ms or not settings.ENABLE_PERFORMANCE_LOGGING:
        return
    level = logging.ERROR if milliseconds > warning_ms * 2 else logging.WARNING
    fields = {"kind": kind, "ms": round(milliseconds, 1), "request_id": trace or "-", **facts, "name": name}
    line = " ".join(f"{field}={value}" for field, value in fields.items())
    logger.log(level, "slow %s", line, extra={"performance": fields})
