"""The request id: the trace that ties a slow query, a log line and an answer together."""

import os
import re
import secrets
from itertools import count

HEADER = "X-Request-ID"
META_HEADER = "HTTP_X_REQUEST_ID"
SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")

# Drawn once per process and counted up: a random id per request costs ten times as much.
_process = secrets.token_hex(8)
_numbers = count(1)


def accept(offered: str | None) -> str:
    """Return the id that a proxy or client sent if it is harmless in logs and pages, else a new one."""
    return offered if offered and SANE.fullmatch(offered) else f"{_process}-{next(_numbers):x}"


def _begin() -> None:
    global _process
    _process = secrets.token_hex(8)


os.register_at_fork(after_in_child=_begin)
