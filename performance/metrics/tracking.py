"""`@log_performance(name)` and `track_query(name)`: measure a function or a block by name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import iscoroutinefunction
from time import perf_counter_ns
from typing import Any, cast

from performance.metrics.costs import current, current_trace
from performance.metrics.recorder import Measurement, recorder
from performance.metrics.slow_log import log_if_slow
from performance.metrics.statements import measured
from performance.metrics.store import FUNCTION


def log_performance[F: Callable[..., Any]](name: str) -> Callable[[F], F]:
    """Measure every call of a function or coroutine function under `name`."""

    def decorate(function: F) -> F:
        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with _timed(name):
                return function(*args, **kwargs)

        @wraps(function)
        async def timed_async(*args: Any, **kwargs: Any) -> Any:
            with _timed(name):
                return await function(*args, **kwargs)

        return cast(F, timed_async if iscoroutinefunction(function) else timed)

    return decorate


@contextmanager
def _timed(name: str) -> Iterator[None]:
    started = perf_counter_ns()
    is_error = True
    try:
        yield
        is_error = False
    finally:
        elapsed = perf_counter_ns() - started
        request = current_trace()
        recorder.record(Measurement(FUNCTION, name, elapsed // 1000, request, is_error=is_error))
        log_if_slow(kind="function", name=name, milliseconds=elapsed / 1e6, trace=request)


@contextmanager
def track_query(name: str) -> Iterator[None]:
    """Measure the queries of a block together, as one query called `name`."""
    costs = current.get()
    is_inner = costs is not None and costs.is_tracked
    if costs is not None:
        costs.is_tracked = True
    started = perf_counter_ns()
    try:
        yield
    finally:
        if costs is not None:
            costs.is_tracked = is_inner
        measured(name, perf_counter_ns() - started)
