"""Measures every request, and answers for a database that has no connection left."""

from collections.abc import Callable
from time import perf_counter_ns

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from psycopg_pool import PoolTimeout, TooManyRequests

from performance.metrics import statements, trace
from performance.metrics.recorder import Measurement, recorder
from performance.metrics.slow_log import LEAST_MS, log_if_slow
from performance.metrics.store import ENDPOINT

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
RETRY_AFTER_SECONDS = 2

type Handler = Callable[[HttpRequest], HttpResponseBase]


def measure_requests(get_response: Handler) -> Handler:
    """Measure each request by route name, never by path, with its statements and the size of its answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        # Not request.headers, which would parse all of them.
        request_id = trace.accept(request.META.get(trace.META_HEADER))
        traced = trace.current.set(request_id)
        counted = statements.Statements()
        counting = statements.current.set(counted)
        started = perf_counter_ns()
        try:
            response = get_response(request)
            _record(request, response, counted, perf_counter_ns() - started, request_id)
        finally:
            statements.current.reset(counting)
            trace.current.reset(traced)
        response.headers[trace.HEADER] = request_id
        return response

    return middleware


def _record(
    request: HttpRequest,
    response: HttpResponseBase,
    counted: statements.Statements,
    nanoseconds: int,
    request_id: str,
) -> None:
    name = endpoint_name(request)
    size = len(response.content) if isinstance(response, HttpResponse) else None
    is_error = response.status_code >= 500
    microseconds = nanoseconds // 1000
    recorder.record(
        Measurement(ENDPOINT, name, microseconds, request_id, counted.count, size, is_error, counted.queries)
    )
    if nanoseconds > LEAST_MS * 1e6:
        log_if_slow(
            kind="endpoint",
            name=name,
            milliseconds=nanoseconds / 1e6,
            trace=request_id,
            status=response.status_code,
            statements=counted.count,
            database_ms=round(counted.milliseconds, 1),
        )


def endpoint_name(request: HttpRequest) -> str:
    """Return the name that metrics and budgets know an endpoint by: "GET posts:detail"."""
    method = request.method if request.method in METHODS else "OTHER"
    match = request.resolver_match
    return f"{method} {match.view_name if match else '(no route)'}"


class DatabaseUnavailable:
    """Answers 503 with Retry-After when no connection is to be had, instead of an error page."""

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
    """Tell whether an error means that no connection was to be had: pool empty, server full, gone or restarting.

    A connection that fails has no SQLSTATE in psycopg, so what was never connected is known by its cause.
    """
    if not isinstance(exception, OperationalError | InterfaceError):
        return False
    cause = exception.__cause__
    if isinstance(cause, PoolTimeout | TooManyRequests):
        return True
    # Class 08 is a broken connection, 53300 too many of them, 57P0x a server that shuts down or starts.
    state: str | None = getattr(cause, "sqlstate", None)
    return state is None or state.startswith(("08", "53300", "57P"))
