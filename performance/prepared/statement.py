"""Running prepared statements below the cursor: a cursor costs 55 us of CPU that these reads do without."""

import functools
import hashlib
import time
import weakref
from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

# What each connection has prepared. A name says which SQL it stands for, so that two that share a connection
# behind a pooler, or one that lost its memory of it, mean the same by it.
_prepared: weakref.WeakKeyDictionary[psycopg.Connection[Any], set[bytes]] = weakref.WeakKeyDictionary()
_LOST = (errors.InvalidSqlStatementName.sqlstate, errors.FeatureNotSupported.sqlstate)


# What libpq sends for each parameter; None is NULL.
type Values = Sequence[bytes | None]


class Statement:
    """One SQL text and the name under which connections prepare it.

    Without `may_repeat` it is asked once: an answer that was lost may stand for an effect.
    """

    def __init__(self, sql: str, *, may_repeat: bool = True) -> None:
        self.may_repeat = may_repeat
        self.sql = sql
        self.query = sql.encode()
        self.name = b"read_" + hashlib.sha256(self.query).hexdigest()[:24].encode()

    def run(self, connection: BaseDatabaseWrapper, values: Values) -> PGresult:
        """Run with these values, seen by Django's query log and execute wrappers like any other query.

        A connection that went stale while idle is replaced unnoticed. Raises Django's database errors.
        """
        result: PGresult = _observed(connection, self.sql, values, self._execute)
        return result

    def _execute(self, _sql: str, values: Values, _many: bool, context: dict[str, Any]) -> PGresult:
        connection: BaseDatabaseWrapper = context["connection"]
        if connection.connection is None:
            connection.ensure_connection()
            return self._run_alone(connection, values)
        if not connection.autocommit:
            with connection.wrap_database_errors:
                return self._run_in_transaction(connection.connection, values)
        if not self.may_repeat:
            connection.close_if_health_check_failed()
            connection.ensure_connection()
            return self._run_alone(connection, values)
        try:
            return self._run_alone(connection, values)
        except (OperationalError, InterfaceError):
            if connection.connection.pgconn.status == ConnStatus.OK:
                raise
        # A read outside a transaction may be asked again. This replaces the health check, a round trip.
        connection.close()
        connection.ensure_connection()
        return self._run_alone(connection, values)

    def _run_in_transaction(self, raw: psycopg.Connection[Any], values: Values) -> PGresult:
        # An error would end the transaction, so nothing is tried that may turn out to be lost; the cursor
        # opens the transaction when this is its first statement.
        with psycopg.RawCursor(raw) as cursor:
            texts = [None if value is None else value.decode() for value in values]
            cursor.execute(self.query, texts, prepare=False)
            if cursor.pgresult is None:
                raise psycopg.InterfaceError("no result")
            return cursor.pgresult

    def _run_alone(self, connection: BaseDatabaseWrapper, values: Values) -> PGresult:
        with connection.wrap_database_errors:
            result = self._ask(connection.connection, values)
        # It answered: the health check that Django would make before its next query is done.
        connection.health_check_done = True  # type: ignore[attr-defined]
        return result

    def _ask(self, raw: psycopg.Connection[Any], values: Values) -> PGresult:
        # It takes None as any other call does, which its types do not say.
        pgconn: Any = raw.pgconn
        if pgconn.transaction_status == TransactionStatus.UNKNOWN:
            raise psycopg.OperationalError("the connection is closed")
        if not settings.PREPARE_STATEMENTS:
            return _checked(raw, pgconn.exec_params(self.query, values))
        known = _prepared.get(raw)
        if known is None:
            known = _prepared[raw] = set()
        if self.name in known:
            result: PGresult = pgconn.exec_prepared(self.name, values)
            if result.status == ExecStatus.TUPLES_OK:
                return result
            if not _is_lost(result):
                return _checked(raw, result)
            known.discard(self.name)
        self._prepare(raw, known)
        result = pgconn.exec_prepared(self.name, values)
        # Behind a pooler that does not follow prepared statements the next server may not know it.
        return _checked(raw, pgconn.exec_params(self.query, values) if _is_lost(result) else result)

    def _prepare(self, raw: psycopg.Connection[Any], known: set[bytes]) -> None:
        result = raw.pgconn.prepare(self.name, self.query)
        if result.status != ExecStatus.COMMAND_OK and _state(result) != errors.DuplicatePreparedStatement.sqlstate:
            raise _error_of(raw, result)
        known.add(self.name)


def run_together(connection: BaseDatabaseWrapper, asked: Sequence[tuple[Statement, Values]]) -> list[PGresult]:
    """Run several statements in one round trip and one transaction of their own: all of them, or none.

    Each sees what those before it wrote. Seen by the query log as one statement. Raises Django's database errors.
    """

    def execute(_sql: str, _values: Any, _many: bool, context: dict[str, Any]) -> list[PGresult]:
        connection.ensure_connection()
        if connection.autocommit and settings.PREPARE_STATEMENTS:
            with connection.wrap_database_errors:
                found = _pipelined(connection.connection, asked)
            if found is not None:
                return found
        with transaction.atomic(using=connection.alias, savepoint=False):
            return [statement._execute("", values, False, context) for statement, values in asked]

    sql = ";".join(statement.sql for statement, _ in asked)
    results: list[PGresult] = _observed(connection, sql, [value for _, values in asked for value in values], execute)
    return results


def _pipelined(raw: psycopg.Connection[Any], asked: Sequence[tuple[Statement, Values]]) -> list[PGresult] | None:
    """Return the results of statements that end with one sync, or None when the server has forgotten one of them."""
    pgconn, known = raw.pgconn, _prepared.setdefault(raw, set())
    for statement, _ in asked:
        if statement.name not in known:
            statement._prepare(raw, known)
    pgconn.enter_pipeline_mode()
    for statement, values in asked:
        pgconn.send_query_prepared(statement.name, values)
    pgconn.pipeline_sync()
    results = _until_sync(pgconn)
    if pgconn.status == ConnStatus.OK:
        pgconn.exit_pipeline_mode()
    failed = next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)
    if failed is None and len(results) == len(asked):
        return results
    if failed is not None and _is_lost(failed):
        known.difference_update(statement.name for statement, _ in asked)
        return None
    raise _error_of(raw, failed) if failed else psycopg.OperationalError("the connection is lost")


def _until_sync(pgconn: PGconn) -> list[PGresult]:
    """Read the result of each statement; an empty one stands between two of them."""
    results = []
    while pgconn.status == ConnStatus.OK:
        result = pgconn.get_result()
        if result is None:
            continue
        if result.status == ExecStatus.PIPELINE_SYNC:
            break
        results.append(result)
    return results


def _observed(connection: BaseDatabaseWrapper, sql: str, values: Values, execute: Any) -> Any:
    """Run something as Django runs a query: through the execute wrappers and into the query log."""
    for wrapper in reversed(connection.execute_wrappers):
        execute = functools.partial(wrapper, execute)
    context = {"connection": connection, "cursor": None}
    if not connection.queries_logged:
        return execute(sql, values, False, context)
    started = time.monotonic()
    try:
        return execute(sql, values, False, context)
    finally:
        took = time.monotonic() - started
        connection.queries_log.append({"sql": sql, "time": f"{took:.3f}"})


def _state(result: PGresult) -> str:
    return (result.error_field(67) or b"").decode()


def _is_lost(result: PGresult) -> bool:
    return result.status == ExecStatus.FATAL_ERROR and _state(result) in _LOST


def _checked(raw: psycopg.Connection[Any], result: PGresult) -> PGresult:
    if result.status != ExecStatus.TUPLES_OK:
        raise _error_of(raw, result)
    return result


def _error_of(raw: psycopg.Connection[Any], result: PGresult) -> psycopg.Error:
    """Return what went wrong; a lost connection has no error code of its own."""
    if raw.pgconn.status != ConnStatus.OK:
        return psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
    return errors.error_from_result(result, encoding="utf-8")
