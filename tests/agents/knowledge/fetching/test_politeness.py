import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from agents.knowledge.fetching import polite
from agents.knowledge.fetching.client import Fetched, FetchFailed
from agents.knowledge.models import FetchedHost

pytestmark = pytest.mark.django_db

PAGE = "https://example.org/page"


class Host:
    """Stands for the network: answers robots.txt and pages, and counts what it is asked."""

    def __init__(self, robots: str = "", status: int = 200) -> None:
        self.robots, self.status, self.asked = robots, status, list[str]()

    def fetch(self, url: str, **options: Any) -> Fetched:
        self.asked.append(url)
        if url.endswith("/robots.txt"):
            if self.status == 0:
                raise FetchFailed("gone")
            return Fetched(url, self.status, {}, self.robots.encode())
        return Fetched(url, 200, {}, b"page")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr(polite, "time", SimpleNamespace(sleep=seconds.append))
    return seconds


def visit(monkeypatch: pytest.MonkeyPatch, host: Host) -> Fetched:
    monkeypatch.setattr(polite, "fetch", host.fetch)
    return polite.fetch_politely(PAGE)


def test_robots_txt_is_read_once_a_day(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    host = Host("User-agent: *\nDisallow: /private")
    for _ in range(3):
        assert visit(monkeypatch, host).body == b"page"
    assert host.asked == ["https://example.org/robots.txt", PAGE, PAGE, PAGE]
    FetchedHost.objects.update(robots_read_at=timezone.now() - timedelta(days=2))
    visit(monkeypatch, host)
    assert host.asked.count("https://example.org/robots.txt") == 2


@pytest.mark.parametrize(
    ("robots", "status"),
    [("User-agent: *\nDisallow: /", 200), ("User-agent: Aviary\nDisallow: /page", 200), ("", 503), ("", 0)],
)
def test_what_robots_txt_forbids_is_not_fetched(
    monkeypatch: pytest.MonkeyPatch, slept: list[float], robots: str, status: int
) -> None:
    host = Host(robots, status)
    with pytest.raises(polite.NotAllowed):
        visit(monkeypatch, host)
    assert PAGE not in host.asked


def test_a_host_without_robots_txt_allows_all(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    assert visit(monkeypatch, Host("Disallow nothing <html>", 404)).status == 200


def test_requests_to_one_host_are_a_second_apart(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    started = time.monotonic()
    host = Host()
    for _ in range(3):
        visit(monkeypatch, host)
    spent = time.monotonic() - started
    assert slept == pytest.approx([0, 1, 2], abs=spent + 0.05)


def test_who_would_wait_too_long_comes_back_later(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    host = Host()
    with pytest.raises(polite.HostBusy):
        for _ in range(10):
            visit(monkeypatch, host)
    assert 5 <= host.asked.count(PAGE) <= 6
