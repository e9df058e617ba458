"""Whether this process should get traffic. Other apps add what they cannot do without."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from performance import valkey
from performance.metrics import track_query

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Check:
    """`run` raises when something is wrong. What is not critical makes the process degraded, not unready."""

    name: str
    run: Callable[[], object]
    is_critical: bool


_checks: dict[str, Check] = {}


def register(name: str, run: Callable[[], object], *, is_critical: bool = False) -> None:
    """Add a check; a second one of the same name takes the place of the first."""
    _checks[name] = Check(name=name, run=run, is_critical=is_critical)


def readiness() -> dict[str, Any]:
    """Run every check; return the status ("ready", "degraded", "unavailable") and one result per check."""
    results = {check.name: _run(check) for check in _checks.values()}
    failed = [check for check in _checks.values() if not results[check.name]["ok"]]
    is_down = any(check.is_critical for check in failed)
    status = "unavailable" if is_down else "degraded" if failed else "ready"
    return {"status": status, "checks": results}


def _run(check: Check) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        check.run()
        is_ok = True
    except Exception as error:
        # The text of the error may hold host names or statements; its kind is enough here.
        logger.warning("readiness_failed check=%s error=%s", check.name, type(error).__name__)
        is_ok = False
    return {"ok": is_ok, "latency_ms": round((time.perf_counter() - started) * 1000, 2)}


def _ask_database() -> None:
    with track_query("performance.ping"), connection.cursor() as cursor:
        cursor.execute("SELECT 1")


register("database", _ask_database, is_critical=True)
# Reads go on without Valkey, from PostgreSQL.
register("cache", lambda: valkey.client().ping())
