"""Measures every request, and answers for a database that has no connection left."""

from collections.abc import Callable
from time import perf_counter_ns, time

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from psycopg_pool import PoolTimeout, TooManyRequests

from performance.metrics import trace
from performance.metrics.costs import RequestCosts, current
from performance.metrics.recorder import recorder
from performance.metrics.slow_log import least_nanoseconds, log_if_slow

RETRY_AFTER_SECONDS = 2

type Handler = Callable[[HttpRequest], HttpResponseBase]


def measure_requests(get_response: Handler) -> Handler:
    """Measure each request by route name, never by path, with its statements and the size of its answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        # Not request.headers, which would parse all of them.
        costs = RequestCosts(trace.accept(request.META.get(trace.META_HEADER)))
        token = current.set(costs)
        started = perf_counter_ns()
        try:
            response = get_response(request)
        finally:
            current.reset(token)
        costs.nanoseconds = perf_counter_ns() - started
        costs.at = time()
        costs.method = request.method
        if request.resolver_match is not None:
            costs.view = request.resolver_match.view_name
        if isinstance(response, HttpResponse):
            costs.size_bytes = len(response.content)
        costs.status = response.status_code
        recorder.finished(costs)
        if costs.nanoseconds > least_nanoseconds():
            _log_if_slow(costs)
        response.headers[trace.HEADER] = costs.trace
        return response

    return middleware


def _log_if_slow(costs: RequestCosts) -> None:
    log_if_slow(
        kind="endpoint",
        name=costs.endpoint,
        milliseconds=costs.nanoseconds / 1e6,
        trace=costs.trace,
        status=costs.status,
        statements=len(costs.asked),
        database_ms=round(costs.database_ms, 1),
    )


class DatabaseUnavailable:
    """Answers 503 with Retry-After when the database has no connection or no time, instead of an error page."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unavailable() if is_unavailable(exception) else None


def unavailable() -> HttpResponse:
    """The 503 of a full or unreachable database, as problem details (RFC 9457)."""
    problem = {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "The database is busy; try again.",
    }
    response = JsonResponse(problem, status=503, content_type="application/problem+json")
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def is_unavailable(exception: BaseException) -> bool:
    """Tell whether an error means that nothing is wrong but the moment.

    No connection was to be had (pool empty, server full, gone or restarting), or a statement or the lock that it
    waited for took longer than the house lets anything take: it was undone, and is in the log of slow queries.

    A connection that fails has no SQLSTATE in psycopg, so what was never connected is known by its cause.
    """
    if not isinstance(exception, OperationalError | InterfaceError):
        return False
    cause = exception.__cause__
    if isinstance(cause, PoolTimeout | TooManyRequests):
        return True
    # Class 08 is a broken connection, 53300 too many of them, 57P0x a server that shuts down or starts; 57014 is a
    # statement that took too long, 55P03 a lock.
    state: str | None = getattr(cause, "sqlstate", None)
    return state is None or state.startswith(("08", "53300", "57P", "57014", "55P03"))
