"""The request id: the trace that ties a slow query, a log line and an answer together."""

import re
import uuid
from contextvars import ContextVar

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")

current: ContextVar[str] = ContextVar("trace", default="")


def accept(offered: str | None) -> str:
    """Return the id that a proxy or client sent if it is harmless in logs and pages, else a new one."""
    return offered if offered and SANE.fullmatch(offered) else uuid.uuid4().hex
