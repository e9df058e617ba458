"""The clock of a web process is set forward or back by a day: caches, limits and figures go on."""

import time
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from agents.services.rates import spend
from performance import alerts, processes
from performance.alerts import Crossing
from performance.caches import LIFETIMES, cache_statistics, caches, invalidate_now
from performance.metrics import store
from performance.metrics.recorder import Measurement, recorder
from performance.metrics.report import metrics_report
from performance.sessions import SessionStore
from tests.performance.conftest import OwnValkey
from tests.performance.test_response_cache import Network

DAY = 86_400
JUMPS = pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forward", "back"])
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey"), JUMPS]


@pytest.fixture
def leap(monkeypatch: pytest.MonkeyPatch, jump: int) -> Any:
    """Set the clock, when called."""
    real = time.time

    def set_clock() -> None:
        monkeypatch.setattr(time, "time", lambda: real() + jump)

    return set_clock


def test_what_is_cached_lives_as_long_as_was_said(leap: Any, valkey: OwnValkey) -> None:
    caches["feed"].set("before", 1)
    leap()
    caches["feed"].set("after", 2)
    assert (caches["feed"].get("before"), caches["feed"].get("after")) == (1, 2)
    assert 0 < valkey.client().ttl(caches["feed"].store.entry("after")) <= LIFETIMES["feed"]
    assert cache_statistics()["feed"]["entries"] == 2
    invalidate_now(["cache:feed"])
    assert caches["feed"].get("after") is None


def test_answers_stay_and_go_as_before(leap: Any) -> None:
    network = Network()
    network.warm("/api/explore", network.follower)
    leap()
    assert network.get("/api/explore", network.follower).outcome == "HIT"
    invalidate_now([f"profile:{network.follower.pk}"])
    assert network.get("/api/explore", network.follower).outcome == "MISS"


def test_a_limit_begins_anew_once_and_stays_exact(leap: Any) -> None:
    assert [spend(caller="one", window_seconds=60) for _ in range(3)] == [1, 2, 3]
    leap()
    assert [spend(caller="one", window_seconds=60) for _ in range(3)] == [1, 2, 3]


def test_a_session_goes_on(leap: Any) -> None:
    session = SessionStore()
    session["seen"] = 7
    session.save()
    leap()
    assert SessionStore(session.session_key)["seen"] == 7


def test_figures_are_taken_and_shown(leap: Any, settings: Settings) -> None:
    settings.MONITORING_KEY = "a-monitoring-key-of-forty-characters-000"
    recorder.forget()
    for _ in range(2):
        recorder.record(Measurement(store.ENDPOINT, "GET clock", 1000))
        assert recorder.flush()
        processes.report()
        leap()
    (found,) = [one for one in metrics_report(minutes=5)["slowest_endpoints"] if one["name"] == "GET clock"]
    assert found["count"] == 1
    client = Client(headers={"Authorization": f"Bearer {settings.MONITORING_KEY}"})
    for path in ("/performance/metrics", "/performance/figures", "/metrics", "/health/performance", "/api/health/pool"):
        assert client.get(path).status_code == 200, path


def test_an_alert_recovers(leap: Any, jump: int, monkeypatch: pytest.MonkeyPatch) -> None:
    alerts.observe(Crossing(kind="pool", subject="", value=90, threshold=80, unit="%"))
    leap()
    alerts.observe(Crossing(kind="pool", subject="", value=90, threshold=80, unit="%"))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert alerts.clear_recovered() == ["pool"]
    assert alerts.open_alerts() == []
