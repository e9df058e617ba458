import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from performance.db_monitor import monitor


def wait_for(kind: str) -> list[dict[str, Any]]:
    for _ in range(100):
        if found := monitor.get_stats()[kind]:
            return list(found)
        time.sleep(0.005)
    pytest.fail(f"no {kind} were seen")


@contextmanager
def another_session() -> Iterator[psycopg.Connection]:
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    with psycopg.connect(**parameters, autocommit=True) as other:
        yield other


@pytest.mark.django_db
def test_a_running_query_shows_without_its_values(settings: Settings) -> None:
    settings.SLOW_QUERY_THRESHOLD = 0.05
    with another_session() as other:
        sleeper = threading.Thread(target=lambda: other.execute("SELECT pg_sleep(0.6), 'canary'"))
        sleeper.start()
        try:
            slow = wait_for("slow_queries")
        finally:
            sleeper.join()
    assert slow[0]["query"] == "SELECT pg_sleep(?), ?"
    assert slow[0]["seconds"] > 0.05


@pytest.mark.django_db
def test_who_waits_for_whom_shows() -> None:
    with another_session() as holder, another_session() as waiter:
        holder.execute("SELECT pg_advisory_lock(42)")
        waiting = threading.Thread(target=lambda: waiter.execute("SELECT pg_advisory_lock(42)"))
        waiting.start()
        try:
            locks = wait_for("locks")
        finally:
            holder.execute("SELECT pg_advisory_unlock_all()")
            waiting.join()
        assert locks[0]["blocked_by"] == f"{{{holder.info.backend_pid}}}"


@pytest.mark.django_db
def test_connections_are_counted_by_state() -> None:
    with another_session() as other:
        other.execute("BEGIN")
        found = monitor.get_stats()["databases"]["default"]
    assert found["connections"]["by_state"]["idle in transaction"] == 1
    assert found["queue_depth"] == 0
    assert 0 <= found["cache_hit_ratio"] <= 1


@pytest.mark.django_db
def test_the_command_prints_them() -> None:
    out = io.StringIO()
    call_command("db_monitor", stdout=out)
    assert "Connections" in out.getvalue() and "Cache hit ratio" in out.getvalue()
