import re

import pytest
import redis
from django.contrib.staticfiles import finders
from django.test import Client
from redis.backoff import NoBackoff
from redis.retry import Retry

from performance import valkey
from performance.caches import caches
from performance.metrics import store
from performance.metrics.recorder import Measurement, recorder


def test_liveness_says_ok_and_nothing_else(client: Client) -> None:
    response = client.get("/health/")
    assert response.json() == {"status": "ok"}


def test_readiness_names_its_checks_to_operators_only(client: Client, operator: Client) -> None:
    assert client.get("/health/ready").json() == {"status": "ready"}
    assert set(operator.get("/health/ready").json()["checks"]) >= {"database", "cache"}


@pytest.mark.parametrize(("is_critical", "status", "code"), [(True, "unavailable", 503), (False, "degraded", 200)])
def test_a_failed_check_makes_it_unready_only_if_it_is_critical(
    operator: Client, monkeypatch: pytest.MonkeyPatch, is_critical: bool, status: str, code: int
) -> None:
    from performance import readiness

    def fail() -> None:
        raise ConnectionError("secret host name")

    monkeypatch.setattr(readiness, "_checks", {})
    readiness.register("worker", fail, is_critical=is_critical)
    response = operator.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (code, status)
    assert b"secret" not in response.content


def test_performance_has_the_shape_that_dashboards_know(operator: Client) -> None:
    found = operator.get("/health/performance").json()
    assert found["status"] == "ok"
    assert set(found) == {"status", "response_time_ms", "cache", "database"}
    assert set(found["cache"]) == {
        "total_entries",
        "active_entries",
        "hits",
        "misses",
        "hit_rate",
        "memory_usage_estimate_mb",
    }
    assert found["database"]["status"] == "healthy"
    assert {"pool_size", "checked_out", "overflow", "total_connections"} <= set(found["database"]["pool"])


def test_pool_has_the_shape_that_dashboards_know(operator: Client) -> None:
    found = operator.get("/api/health/pool").json()
    assert {"size", "checked_out", "available", "overflow", "max_overflow", "waiting", "usage"} <= set(found)
    assert found["mode"] == "persistent"
    assert 0 < found["usage"] < 1


def test_clearing_the_caches_forgets_every_entry(operator: Client) -> None:
    caches["profile"].set("wren", {"bio": "birds"})
    assert operator.post("/health/cache/clear").json()["status"] == "ok"
    assert caches["profile"].get("wren") is None


@pytest.mark.parametrize("path", ["/health/cache/cleanup", "/performance/cleanup-cache"])
def test_cleaning_leaves_what_is_still_good(operator: Client, path: str) -> None:
    caches["profile"].set("wren", {"bio": "birds"})
    assert operator.post(path).json() == {"status": "ok", "removed_entries": 0}
    assert caches["profile"].get("wren") == {"bio": "birds"}


def test_cache_stats_count_hits_and_misses(operator: Client) -> None:
    caches["profile"].set("wren", 1)
    caches["profile"].get("wren")
    caches["profile"].get("owl")
    found = operator.get("/performance/cache-stats").json()
    assert (found["total"]["hits"], found["total"]["misses"], found["total"]["hit_rate"]) == (1, 1, 50.0)
    assert found["caches"]["profile"]["entries"] == 1


@pytest.mark.parametrize("minutes", ["0", "61", "-1", "1.5", "x", "", "999999999999", "１"])
def test_a_window_outside_the_hour_is_refused(operator: Client, minutes: str) -> None:
    assert operator.get("/performance/metrics", {"minutes": minutes}).status_code == 400


def test_metrics_leave_monitoring_itself_out(operator: Client) -> None:
    recorder.record(Measurement(store.ENDPOINT, "GET feed:feed", 2000))
    operator.get("/health/performance")
    found = operator.get("/performance/metrics").json()
    assert [endpoint["name"] for endpoint in found["slowest_endpoints"]] == ["GET feed:feed"]
    assert found["requests"]["count"] == 1


@pytest.mark.parametrize("path", ["/performance/metrics", "/performance/figures", "/metrics"])
def test_without_valkey_the_figures_are_unavailable_not_broken(
    operator: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    dead = redis.Redis(port=1, socket_connect_timeout=0.1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(valkey, "client", lambda: dead)
    response = operator.get(path)
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    dead.close()


SAMPLE = re.compile(r'[a-z_]+(\{([a-z]+="(\\.|[^"\\])*",?)+\})? (\d+(\.\d+)?(e[+-]\d+)?|\+Inf)')


def test_prometheus_gets_cumulative_buckets_in_its_own_format(operator: Client) -> None:
    for milliseconds in (1, 20, 20_000):
        recorder.record(Measurement(store.ENDPOINT, 'GET a"b\\c', milliseconds * 1000))
    response = operator.get("/metrics")
    lines = response.content.decode().splitlines()
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    assert [line for line in lines if not line.startswith("#") and not SAMPLE.fullmatch(line)] == []
    buckets = [line for line in lines if line.startswith(r'aviary_request_seconds_bucket{endpoint="GET a\"b\\c"')]
    counts = [int(line.rpartition(" ")[2]) for line in buckets]
    assert counts == sorted(counts)
    assert (counts[0], counts[-2], counts[-1]) == (0, 2, 3)


def test_the_dashboard_has_nothing_inline_and_nothing_from_elsewhere(staff: Client) -> None:
    page = staff.get("/performance/").content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?://", page)
    for name in re.findall(r'/static/([^"]+)', page):
        assert finders.find(name), name


def test_the_figures_hold_what_the_page_shows(operator: Client) -> None:
    recorder.record(Measurement(store.ENDPOINT, "GET feed:feed", 90_000, "trace", 2, 1000))
    found = operator.get("/performance/figures").json()
    (budget,) = [row for row in found["budgets"] if row["name"] == "GET feed:feed"]
    assert (budget["keeps"], budget["over"]) == (False, ["p95_ms"])
    assert found["is_active"] is True
    assert len(found["series"]) == 60
    assert found["database"]["databases"]["default"]["connections"]["total"] >= 0
