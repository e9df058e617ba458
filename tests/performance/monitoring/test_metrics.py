import asyncio
import logging
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from performance import valkey
from performance.metrics import batch, log_performance, store, track_query
from performance.metrics.batch import Batch
from performance.metrics.recorder import Measurement, Recorder, recorder
from performance.metrics.report import metrics_report


def report() -> dict[str, list[dict[str, object]]]:
    assert recorder.flush()
    return metrics_report(minutes=5)


def test_a_function_is_measured_under_its_name() -> None:
    @log_performance("answer")
    def answer() -> int:
        return 42

    assert [answer(), answer()] == [42, 42]
    (measured,) = report()["slowest_functions"]
    assert (measured["name"], measured["count"], measured["errors"]) == ("answer", 2, 0)


def test_a_coroutine_is_measured_and_its_failure_counted() -> None:
    @log_performance("fails")
    async def fails() -> None:
        raise ZeroDivisionError

    # In a thread: the browser tests leave a running event loop in this one.
    with ThreadPoolExecutor(1) as thread, pytest.raises(ZeroDivisionError):
        thread.submit(lambda: asyncio.run(fails())).result()
    (measured,) = report()["slowest_functions"]
    assert (measured["count"], measured["errors"]) == (1, 1)


@pytest.mark.django_db
def test_the_queries_of_a_tracked_block_count_as_one() -> None:
    with track_query("two selects"), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.execute("SELECT 2")
    assert [(query["name"], query["count"]) for query in report()["slowest_queries"]] == [("two selects", 1)]


def test_the_slowest_come_first_ten_at_most_each_with_its_trace() -> None:
    for number in range(15):
        recorder.record(Measurement(store.ENDPOINT, f"GET route{number}", number * 1000, f"trace-{number}", 2, 500))
    endpoints = report()["slowest_endpoints"]
    assert [endpoint["name"] for endpoint in endpoints] == [f"GET route{number}" for number in range(14, 4, -1)]
    assert endpoints[0]["top_buckets"][0]["trace"] == "trace-14"  # type: ignore[index]


def test_percentiles_counts_and_averages_are_those_of_all_measurements() -> None:
    for milliseconds in range(1, 101):
        recorder.record(Measurement(store.ENDPOINT, "GET posts:post", milliseconds * 1000))
    (found,) = report()["slowest_endpoints"]
    assert found["count"] == 100
    for name, exact in {"average_ms": 50.5, "p50_ms": 50, "p95_ms": 95, "p99_ms": 99, "max_ms": 100}.items():
        assert found[name] == pytest.approx(exact, rel=0.035), name


def measure_elsewhere(name: str) -> None:
    recorder.record(Measurement(store.QUERY, name, 1000, "elsewhere"))
    os._exit(0 if recorder.flush() else 1)


def test_the_figures_are_those_of_all_processes() -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=measure_elsewhere, args=("shared",)) for _ in range(2)]
    for process in processes:
        process.start()
    recorder.record(Measurement(store.QUERY, "shared", 1000))
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    (query,) = report()["slowest_queries"]
    assert query["count"] == 3


def test_a_child_does_not_report_what_its_parent_measured() -> None:
    recorder.record(Measurement(store.QUERY, "of the parent", 1000))
    recorder.forget()
    assert report()["slowest_queries"] == []


@pytest.fixture
def no_valkey(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    dead = redis.Redis(port=1, socket_connect_timeout=0.1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(valkey, "client", lambda: dead)
    yield monkeypatch
    dead.close()


def test_what_valkey_did_not_take_is_written_when_it_is_back(no_valkey: pytest.MonkeyPatch) -> None:
    recorder.record(Measurement(store.QUERY, "during the outage", 1000))
    assert not recorder.flush()
    no_valkey.undo()
    (query,) = report()["slowest_queries"]
    assert (query["name"], query["count"]) == ("during the outage", 1)


def test_an_outage_longer_than_the_window_is_forgotten_rather_than_hoarded(no_valkey: pytest.MonkeyPatch) -> None:
    waiting = Batch()
    waiting.add(1, Measurement(store.QUERY, "an hour ago", 1000))
    waiting.write()
    assert not waiting.minutes


def test_a_request_is_answered_while_valkey_is_down(no_valkey: pytest.MonkeyPatch, client: Client) -> None:
    assert client.get("/health/").status_code == 200


def test_names_are_bounded_whatever_they_are_made_of() -> None:
    full = Batch()
    for number in range(batch.MAX_NAMES + 50):
        full.add(1, Measurement(store.QUERY, f"query {number}", 1))
    names = {name for _, name in full.minutes[1]}
    assert len(names) == batch.MAX_NAMES + 1
    assert batch.OTHER in names


def test_the_queue_is_bounded() -> None:
    starved = Recorder()
    for _ in range(60_000):
        starved.record(Measurement(store.QUERY, "flood", 1))
    assert len(starved._queue) == 50_000


class TestSlowLog:
    @pytest.fixture
    def pause(self, settings: Settings) -> None:
        # Wide apart: a busy machine sleeps longer than it was told.
        settings.SLOW_QUERY_THRESHOLD = 0.2

    @pytest.mark.django_db
    @pytest.mark.parametrize(("seconds", "level"), [(0.22, logging.WARNING), (0.42, logging.ERROR)])
    def test_a_slow_query_is_logged_without_its_parameters(
        self, pause: None, caplog: pytest.LogCaptureFixture, seconds: float, level: int
    ) -> None:
        from performance.metrics.statements import counted

        with counted() as statements, connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s), %s, 'inline secret'", [seconds, "canary"])
        assert len(statements.asked) == 1
        (record,) = caplog.records
        assert record.levelno == level
        assert "SELECT pg_sleep(%s), %s, ?" in record.message
        assert "canary" not in record.message and "secret" not in record.message

    @pytest.mark.django_db
    def test_it_can_be_switched_off(self, pause: None, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
        settings.ENABLE_PERFORMANCE_LOGGING = False
        with track_query("slow"), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.22)")
        assert not caplog.records

    def test_what_is_quick_is_not_logged(self, pause: None, caplog: pytest.LogCaptureFixture) -> None:
        with track_query("quick"):
            pass
        assert not caplog.records
