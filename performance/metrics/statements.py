"""Counts and times the statements of a request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter_ns
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from performance.masking import label_of
from performance.metrics import trace
from performance.metrics.recorder import Measurement, recorder
from performance.metrics.slow_log import LEAST_MS, log_if_slow
from performance.metrics.store import QUERY


class Statements:
    """What one request asked of its databases: how much, for how long, and each query's name and microseconds."""

    __slots__ = ("count", "nanoseconds", "queries")

    def __init__(self) -> None:
        self.count = 0
        self.nanoseconds = 0
        self.queries: list[tuple[str, int]] = []

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
    """Record a query under its name, with those of its request, and log it if it was slow."""
    if (statements := current.get()) is not None:
        statements.queries.append((name, nanoseconds // 1000))
    else:
        recorder.record(Measurement(QUERY, name, nanoseconds // 1000, trace.current.get()))
    if nanoseconds > LEAST_MS * 1e6:
        log_if_slow(kind="query", name=name, milliseconds=nanoseconds / 1e6, trace=trace.current.get())


@contextmanager
def counted() -> Iterator[Statements]:
    """Count every statement of this thread, on every database."""
    statements = Statements()
    token = current.set(statements)
    try:
        yield statements
    finally:
        current.reset(token)
        for name, microseconds in statements.queries:
            recorder.record(Measurement(QUERY, name, microseconds, trace.current.get()))


def watch(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Measure what a connection will be asked; it stays watched, which costs a request less than beginning anew."""
    if _measure not in connection.execute_wrappers:
        connection.execute_wrappers.append(_measure)


def _measure(execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if current.get() is None:
        return execute(statement, params, many, context)
    started = perf_counter_ns()
    try:
        return execute(statement, params, many, context)
    finally:
        executed(statement, perf_counter_ns() - started)


def _text(statement: object) -> str:
    if isinstance(statement, sql.Composable):
        return statement.as_string()
    return statement.decode() if isinstance(statement, bytes) else str(statement)
