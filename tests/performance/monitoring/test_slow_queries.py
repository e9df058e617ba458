"""The report of slow statements, from the real pg_stat_statements: the server of the tests need not have it loaded."""

import io
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoDbBlocker

from performance.slow_queries import SlowQuery, slow_queries
from tests.performance.own_postgres import Server, own_server

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = "SELECT pg_sleep(0.001), id FROM visits WHERE reader = %s AND page > %s LIMIT 1"


@pytest.fixture(scope="module")
def server(django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    with django_db_blocker.unblock(), own_server(shared_preload_libraries="pg_stat_statements") as server:
        server.ask("CREATE TABLE visits (id int PRIMARY KEY, reader int, page int)")
        server.ask("INSERT INTO visits SELECT n, n % 5000, n FROM generate_series(1, 20000) n")
        server.ask("ANALYZE visits")
        yield server


@pytest.fixture(autouse=True)
def asked(server: Server) -> Iterator[None]:
    """Three calls of one statement that no index serves."""
    kept = {name: connection.settings_dict[name] for name in server.address}
    server.ask("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    server.ask("SELECT pg_stat_statements_reset()")
    connection.close()
    connection.settings_dict.update(server.address)
    with connection.cursor() as cursor:
        for reader in (7, 8, 9):
            cursor.execute(SLOW, [reader, 0])
        cursor.execute("SELECT id FROM visits WHERE id = 3")
    yield
    connection.close()
    connection.settings_dict.update(kept)


def found() -> SlowQuery:
    (first, *_) = slow_queries(limit=10)
    return first


def test_the_slowest_comes_first_with_its_figures_its_plan_and_the_index_that_would_help() -> None:
    slowest = found()
    assert slowest.statement.startswith("SELECT pg_sleep(")
    assert (slowest.source, slowest.calls, slowest.p95_ms) == ("pg_stat_statements", 3, None)
    assert slowest.max_ms >= slowest.mean_ms >= 1
    assert slowest.plan.endswith("Seq Scan visits")
    assert slowest.advice == "index visits (reader, page)"


def test_what_an_index_serves_needs_none() -> None:
    (served,) = [query for query in slow_queries(limit=10) if "WHERE id =" in query.statement]
    assert (served.calls, served.plan, served.advice) == (1, "Index Only Scan visits_pkey", "")


def test_the_advice_helps(server: Server) -> None:
    server.ask("CREATE INDEX visits_reader_page ON visits (reader, page)")
    try:
        slowest = found()
        assert "visits_reader_page" in slowest.plan
        assert slowest.advice == ""
    finally:
        server.ask("DROP INDEX visits_reader_page")


def test_the_command_prints_all_of_it_and_no_value() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.002), id FROM visits WHERE reader::text = 'canary' LIMIT 1")
    out = io.StringIO()
    call_command("slow_queries", stdout=out)
    shown = out.getvalue()
    for words in ("3 calls, mean", "P95 unknown", "(pg_stat_statements)", "Would help: index visits (reader, page)"):
        assert words in shown
    assert "canary" not in shown


def test_the_statistics_of_other_databases_stay_out(server: Server) -> None:
    server.ask("SELECT pg_sleep(0.05) AS elsewhere", database="postgres")
    assert "elsewhere" not in found().statement


def test_a_server_without_the_extension_is_told_how_to_get_it(server: Server) -> None:
    server.ask("DROP EXTENSION pg_stat_statements")
    out = io.StringIO()
    call_command("slow_queries", stdout=out)
    assert "CREATE EXTENSION" in out.getvalue()
