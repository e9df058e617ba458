"""Counts and times the statements of a request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from performance.metrics.costs import RequestCosts, current, current_trace, name_of
from performance.metrics.recorder import Measurement, recorder
from performance.metrics.slow_log import least_nanoseconds, log_if_slow
from performance.metrics.store import QUERY


def measured(name: str, nanoseconds: int) -> None:
    """Record a query under its name, with those of its request, and log it if it was slow."""
    if (costs := current.get()) is not None:
        costs.named += ((name, nanoseconds),)
    else:
        recorder.record(Measurement(QUERY, name, nanoseconds // 1000))
    log_if_slow(kind="query", name=name, milliseconds=nanoseconds / 1e6, trace=current_trace())


@contextmanager
def counted() -> Iterator[RequestCosts]:
    """Count every statement of this thread, on every database."""
    costs = RequestCosts(current_trace())
    token = current.set(costs)
    try:
        yield costs
    finally:
        current.reset(token)
        for name, microseconds in costs.queries():
            recorder.record(Measurement(QUERY, name, microseconds, costs.trace))


def watch(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Measure what a connection will be asked; it stays watched, which costs a request less than beginning anew."""
    if _measure not in connection.execute_wrappers:
        connection.execute_wrappers.append(_measure)


def _measure(execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    costs = current.get()
    if costs is None:
        return execute(statement, params, many, context)
    started = perf_counter_ns()
    try:
        return execute(statement, params, many, context)
    finally:
        nanoseconds = perf_counter_ns() - started
        # Named later, beside the requests: this is on the path of every statement.
        costs.asked.append((None if costs.is_tracked else statement, nanoseconds))
        if nanoseconds > least_nanoseconds() and not costs.is_tracked:
            log_if_slow(kind="query", name=name_of(statement), milliseconds=nanoseconds / 1e6, trace=costs.trace)
