"""Counts and times the statements of a request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from time import perf_counter_ns
from typing import Any

from django.db import connections
from psycopg import sql

from performance.masking import label_of
from performance.metrics import trace
from performance.metrics.recorder import Measurement, recorder
from performance.metrics.slow_log import log_if_slow
from performance.metrics.store import QUERY


class Statements:
    """What one request asked of its databases."""

    __slots__ = ("count", "nanoseconds")

    def __init__(self) -> None:
        self.count = 0
        self.nanoseconds = 0

    @property
    def milliseconds(self) -> float:
        return self.nanoseconds / 1e6


current: ContextVar[Statements | None] = ContextVar("statements", default=None)
# Inside `track_query(name)` the statements count under that name, not each under its own text.
tracked_name: ContextVar[str] = ContextVar("tracked_name", default="")


def executed(statement: object, nanoseconds: int) -> None:
    """Note one statement that was run; code that goes past Django's cursors calls this itself."""
    if (statements := current.get()) is not None:
        statements.count += 1
        statements.nanoseconds += nanoseconds
    if not tracked_name.get():
        measured(label_of(_text(statement)), nanoseconds)


def measured(name: str, nanoseconds: int) -> None:
    """Record a query under its name, and log it if it was slow."""
    request = trace.current.get()
    recorder.record(Measurement(QUERY, name, nanoseconds // 1000, request))
    log_if_slow(kind="query", name=name, milliseconds=nanoseconds / 1e6, trace=request)


@contextmanager
def counted() -> Iterator[Statements]:
    """Count every statement of this thread, on every database."""
    statements, token = start()
    try:
        yield statements
    finally:
        current.reset(token)


def start() -> tuple[Statements, Token[Statements | None]]:
    """Begin to count; the caller resets `current` with the token.

    The wrapper stays on the connection, which lives as long as the thread: putting it there and taking it
    away again on every request costs more than all else that is measured.
    """
    for connection in connections.all():
        if _measure not in connection.execute_wrappers:
            connection.execute_wrappers.append(_measure)
    statements = Statements()
    return statements, current.set(statements)


def _measure(execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    started = perf_counter_ns()
    try:
        return execute(statement, params, many, context)
    finally:
        executed(statement, perf_counter_ns() - started)


def _text(statement: object) -> str:
    if isinstance(statement, sql.Composable):
        return statement.as_string()
    return statement.decode() if isinstance(statement, bytes) else str(statement)
