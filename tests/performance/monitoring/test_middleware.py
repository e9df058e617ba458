import logging
import re

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from psycopg import errors
from psycopg_pool import PoolTimeout
from pytest_django.fixtures import Settings

from agents.models import Profile
from performance.metrics import store
from performance.metrics.recorder import recorder
from performance.middleware import DatabaseUnavailable, measure_requests
from tests.factories import make_post


def measured() -> dict[str, store.Series]:
    recorder.flush()
    (window,) = store.read_minutes(1).values()
    return {name: series for (kind, name), series in window.items() if kind == store.ENDPOINT}


def test_a_request_counts_under_its_route_never_its_path(client: Client, wren: object) -> None:
    post = make_post()
    client.get(f"/api/posts/{post.pk}")
    client.get("/api/no/such/canary")
    assert set(measured()) == {"GET posts:post", "GET (no route)"}


def test_statements_and_bytes_of_a_request_are_those_it_cost(client: Client, db: None) -> None:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        response = client.get("/api/communities")
    series = measured()["GET posts:communities"]
    assert series.statements.largest == len(queries) > 0
    assert series.size.largest == pytest.approx(len(response.content), rel=0.04)


def test_an_unknown_method_gets_no_name_of_its_own() -> None:
    client = Client(raise_request_exception=False)
    client.generic("CANARY", "/health/")
    assert list(measured()) == ["OTHER performance:live"]


def test_an_answer_of_5xx_counts_as_an_error() -> None:
    def broken(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=502)

    measure_requests(broken)(RequestFactory().get("/"))
    assert measured()["GET (no route)"].errors == 1


class TestRequestId:
    def test_a_sane_one_is_kept(self, client: Client) -> None:
        response = client.get("/health/", headers={"X-Request-ID": "trace-2026.11_22"})
        assert response["X-Request-ID"] == "trace-2026.11_22"

    @pytest.mark.parametrize("offered", ["", "short", "a" * 65, "<script>alert(1)</script>", "abcdefgh\n", "näher-als"])
    def test_any_other_is_replaced(self, client: Client, offered: str) -> None:
        response = client.get("/health/", headers={"X-Request-ID": offered})
        assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]+", response["X-Request-ID"])

    def test_it_ties_the_slow_log_and_the_trace_together(
        self, settings: Settings, caplog: pytest.LogCaptureFixture, client: Client
    ) -> None:
        settings.SLOW_QUERY_THRESHOLD = 0
        with caplog.at_level(logging.WARNING, "performance.slow"):
            client.get("/health/", headers={"X-Request-ID": "the-trace"})
        assert "request_id=the-trace" in caplog.text
        assert list(measured()["GET performance:live"].traces.values()) == ["the-trace"]


def answer_to(error: Exception, cause: Exception | None = None) -> HttpResponse | None:
    error.__cause__ = cause
    return DatabaseUnavailable(lambda request: HttpResponse()).process_exception(RequestFactory().get("/"), error)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OperationalError("couldn't get a connection after 5.00 sec"), PoolTimeout()),
        (OperationalError("FATAL: sorry, too many clients already"), psycopg.OperationalError()),
        (OperationalError("the server is starting up"), errors.CannotConnectNow()),
        (OperationalError("terminating connection"), errors.AdminShutdown()),
        (OperationalError(), errors.TooManyConnections()),
        (InterfaceError("connection already closed"), None),
        (OperationalError("canceling statement due to statement timeout"), errors.QueryCanceled()),
        (OperationalError("canceling statement due to lock timeout"), errors.LockNotAvailable()),
    ],
)
def test_a_database_without_connection_or_time_is_a_503_that_says_when_to_come_back(
    error: Exception, cause: Exception | None
) -> None:
    response = answer_to(error, cause)
    assert response is not None
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OperationalError("deadlock detected"), errors.DeadlockDetected()),
        (DatabaseError(), None),
        (ValueError(), None),
    ],
)
def test_any_other_error_stays_what_it_is(error: Exception, cause: Exception | None) -> None:
    assert answer_to(error, cause) is None


@pytest.mark.django_db(transaction=True)
def test_a_full_server_is_answered_through_a_real_view(charlie: Profile) -> None:
    make_post(author=charlie)
    connection.close()
    port = connection.settings_dict["PORT"]
    connection.settings_dict["PORT"] = 1
    try:
        response = Client().get("/api/explore")
    finally:
        connection.settings_dict["PORT"] = port
        connection.close()
    assert response.status_code == 503
