"""Building and dropping indexes beside readers and writers, in a way that may be killed and started again."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import Error, OperationalError, transaction
from psycopg import errors

logger = logging.getLogger(__name__)

# Whoever comes for the table after this waits no longer for an index.
LOCK_SECONDS = 1
ATTEMPTS = 300
PAUSE_SECONDS = 1.0

STATE = """
    SELECT indisvalid AND indisready FROM pg_index
    WHERE indexrelid = to_regclass(quote_ident(%s)) AND indrelid = to_regclass(quote_ident(%s))
"""


def build(connection: Any, *, table: str, name: str, create: Callable[[], None], drop: Callable[[], None]) -> None:
    """Create an index unless it is there, and let the planner know what it holds.

    `create` and `drop` run the concurrent statements. What a killed run left invalid is dropped first, what a
    failed one leaves behind at once. Raises Django's database errors.
    """
    with _without_limits(connection):
        _take_turn(connection, table)
        state = _state(connection, table=table, name=name)
        if state is False:
            logger.warning("Dropping the invalid index %s, left by a run that was killed", name)
            drop()
        if not state:
            try:
                create()
            except Error:
                # An invalid unique index would go on refusing rows.
                with suppress(Error):
                    drop()
                raise
        _take_turn(connection, table)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")


def remove(connection: Any, *, table: str, drop: Callable[[], None]) -> None:
    """Drop an index; `drop` runs the concurrent statement, which does nothing when it is gone already."""
    with _without_limits(connection):
        _take_turn(connection, table)
        drop()


@contextmanager
def _without_limits(connection: Any) -> Iterator[None]:
    """Lift the limits of web requests: a build takes minutes, and while it waits nobody who reads or writes does."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET lock_timeout = 0")
    try:
        yield
    finally:
        with suppress(Error), connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
            cursor.execute("RESET lock_timeout")


def _take_turn(connection: Any, table: str) -> None:
    """Wait for whoever alters the table, a second at a time, so that those who come after need not wait for us."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                cursor.execute(f"LOCK TABLE {connection.ops.quote_name(table)} IN SHARE UPDATE EXCLUSIVE MODE")
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.LockNotAvailable) or attempt == ATTEMPTS:
                raise
            logger.info("%s is being altered, attempt %d of %d", table, attempt, ATTEMPTS)
            time.sleep(PAUSE_SECONDS)


def _state(connection: Any, *, table: str, name: str) -> bool | None:
    """Tell whether an index is valid, or None when the table has none of this name."""
    with connection.cursor() as cursor:
        cursor.execute(STATE, [name, table])
        found = cursor.fetchone()
    return None if found is None else bool(found[0])
