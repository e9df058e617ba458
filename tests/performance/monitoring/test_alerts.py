import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pytest_django.fixtures import Settings

from performance import alerts, pool, processes, webhook
from performance.alerts import Crossing
from performance.metrics import store, watch
from performance.metrics.recorder import Measurement, recorder

SLOW = Crossing(kind="api", subject="GET feed:feed", value=1.5, threshold=1, unit="s", trace="the-trace")


def test_an_episode_is_announced_once_however_many_see_it(caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(8) as threads:
        began = list(threads.map(lambda _: alerts.observe(SLOW), range(40)))
    assert began.count(True) == 1
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    assert "trace=the-trace" in caplog.text


def test_it_recovers_once_and_can_begin_again(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.ALERT_RECOVERY_SECONDS = 0
    alerts.observe(SLOW)
    with ThreadPoolExecutor(8) as threads:
        ended = list(threads.map(lambda _: alerts.clear_recovered(), range(8)))
    assert [name for names in ended for name in names] == ["api"]
    assert alerts.open_alerts() == []
    assert [event["event"] for event in alerts.history()] == ["recovered", "raised"]
    assert alerts.observe(SLOW)


def test_it_lasts_while_the_threshold_is_crossed(settings: Settings) -> None:
    settings.ALERT_RECOVERY_SECONDS = 60
    alerts.observe(SLOW)
    assert alerts.clear_recovered() == []
    assert [alert["subject"] for alert in alerts.open_alerts()] == ["GET feed:feed"]


def test_episodes_of_different_machines_are_different(settings: Settings) -> None:
    for host in ("one", "two"):
        assert alerts.observe(Crossing(kind="memory", scope=host, value=90, threshold=80, unit="%"))


@pytest.mark.django_db
class TestWatch:
    def kinds(self) -> list[str]:
        watch.tick()
        return sorted(alert["kind"] for alert in alerts.open_alerts())

    @pytest.fixture(autouse=True)
    def enough_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "memory_usage", lambda: 0.5)
        monkeypatch.setattr("django.db.connections.close_all", lambda: None)

    def test_nothing_is_raised_below_the_thresholds(self) -> None:
        recorder.record(Measurement(store.ENDPOINT, "GET feed:feed", 990_000))
        recorder.record(Measurement(store.QUERY, "SELECT", 1_990_000))
        recorder.flush()
        assert self.kinds() == []

    def test_a_slow_request_and_a_slow_query_raise_theirs(self) -> None:
        recorder.record(Measurement(store.ENDPOINT, "GET feed:feed", 1_100_000, "the-trace"))
        recorder.record(Measurement(store.QUERY, "SELECT", 2_100_000))
        recorder.flush()
        assert self.kinds() == ["api", "query"]

    def test_a_nearly_full_pool_raises_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watch, "pool_usage", lambda alias: 0.81)
        assert self.kinds() == ["pool"]

    def test_nearly_full_memory_raises_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "memory_usage", lambda: 0.81)
        assert self.kinds() == ["memory"]

    def test_the_process_reports_itself(self) -> None:
        watch.tick()
        (report,) = processes.alive()
        assert report["rss_bytes"] > 1_000_000


def test_pools_of_all_processes_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stats = {"pool_min": 2, "pool_max": 4, "pool_size": 3, "pool_available": 1, "requests_waiting": 5}
    monkeypatch.setattr(processes, "alive", lambda: [{"pools": {"default": stats}}, {"pools": {"default": stats}}])
    status = pool.pool_status()
    assert (status["mode"], status["pool_size"], status["max_overflow"], status["overflow"]) == ("pool", 4, 4, 2)
    assert (status["checked_out"], status["available"], status["waiting"], status["usage"]) == (4, 4, 10, 0.5)


class Receiver(BaseHTTPRequestHandler):
    received: list[dict[str, object]] = []
    status = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append({"path": self.path, **json.loads(body)})
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.received = []
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook?token=canary"
        server.shutdown()
        thread.join()


def test_a_webhook_hears_of_the_alert_and_of_its_recovery(receiver: str, settings: Settings) -> None:
    settings.ALERT_WEBHOOK_URL = receiver
    settings.ALERT_RECOVERY_SECONDS = 0
    alerts.observe(SLOW)
    alerts.clear_recovered()
    assert [heard["event"] for heard in Receiver.received] == ["raised", "recovered"]
    assert Receiver.received[0]["path"] == "/hook?token=canary"
    assert Receiver.received[0]["subject"] == "GET feed:feed"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/", "http:///nowhere", "http://127.0.0.1:1/?canary"]
)
def test_a_webhook_that_fails_is_logged_without_its_url(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert not webhook.send(url, {})
    assert "alert_webhook_failed" in caplog.text
    assert url not in caplog.text


def test_a_webhook_that_redirects_is_not_followed(receiver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Receiver, "status", 307)
    assert not webhook.send(receiver, {})
    assert len(Receiver.received) == 1
