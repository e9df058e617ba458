"""The operators' page: what it shows of an hour of traffic, and that it can be read by anyone on any screen."""

import json
import time
from collections.abc import Callable
from random import Random

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from agents.models import Profile
from performance import alerts, processes, valkey
from performance.alerts import Crossing
from performance.caches import caches
from performance.metrics import store
from performance.metrics.recorder import Measurement, recorder
from tests.browser.conftest import Visit
from tests.browser.test_every_page import violations

type MakeVisit = Callable[..., Visit]

WITHIN, OVER = "GET feed:explore", "GET feed:search"


@pytest.fixture
def operator(alice: Profile) -> Profile:
    assert alice.user
    alice.user.is_staff = True
    alice.user.save(update_fields=["is_staff"])
    return alice


def open_dashboard(browser: Visit, operator: Profile) -> Page:
    client = Client()
    assert operator.user
    client.force_login(operator.user)
    # What the first request of a process compiles is not the browser's matter.
    assert client.get("/performance/figures").status_code == 200
    browser.enter(operator)
    page = browser.go("/performance/")
    expect(page.locator("#tiles .tile")).to_have_count(7)
    return page


@pytest.fixture
def hour() -> None:
    """An hour of requests and queries, with the levels of each minute; the budget of one endpoint is exceeded."""
    draw = Random(7)
    recorder.forget()
    now = int(time.time()) // 60
    for minute in range(now - 59, now + 1):
        for _ in range(40):
            fast, slow = (int(draw.lognormvariate(level, 0.5) * 1000) for level in (1.6, 4.9))
            recorder._queue.append((minute, Measurement(store.ENDPOINT, WITHIN, fast, "trace-1", 2, 9000)))
            recorder._queue.append((minute, Measurement(store.ENDPOINT, OVER, slow, "trace-2", 2, 9000)))
            recorder._queue.append((minute, Measurement(store.QUERY, "SELECT posts_post", fast, "trace-1")))
        share = 0.3 + 0.2 * draw.random()
        level = {
            "hits": 95 * (minute - now + 60), "misses": (minute - now + 60) * 5, "pool_usage": share,
            "pool_waiting": 0, "connections": 60, "memory": 0.4,
        }  # fmt: skip
        valkey.client().set(valkey.key("levels", minute), json.dumps(level), ex=600)
    assert recorder.flush()
    for number in range(20):
        caches["feed"].get_or_compute(str(number % 3), lambda: "x")
    processes.report()


def test_it_shows_charts_and_budgets_against_what_was_measured(operator: Profile, hour: None, visit: MakeVisit) -> None:
    browser = visit(viewport={"width": 1440, "height": 1000})
    page = open_dashboard(browser, operator)
    for chart in ("latency", "hits", "pool", "curve"):
        assert page.locator(f"#{chart} svg path.series").count() >= 1, chart
    rows = page.locator("#budgets tbody tr")
    expect(rows.filter(has_text=OVER).locator(".mark.bad")).to_have_count(1)
    expect(rows.filter(has_text=WITHIN).locator(".mark.good")).to_have_count(1)
    expect(page.locator("#queries")).to_contain_text("SELECT posts_post")
    expect(page.locator("#state")).to_contain_text("over budget")
    page.locator("#latency").hover()
    expect(page.locator("#latency .tip")).to_contain_text("P95")
    assert browser.complaints == []


def test_it_asks_often_while_something_happens_and_seldom_when_not(operator: Profile, visit: MakeVisit) -> None:
    recorder.forget()
    page = open_dashboard(visit(), operator)
    expect(page.locator("#pace")).to_have_text("updates every 15 s")
    recorder.record(Measurement(store.ENDPOINT, WITHIN, 1000))
    alerts.observe(Crossing(kind="api", subject=WITHIN, value=1.4, threshold=1, unit="s", trace="trace-2"))
    page.reload()
    expect(page.locator("#pace")).to_have_text("updates every 2 s")
    expect(page.locator("#alerts")).to_contain_text("Slow request")


def test_it_is_accessible_and_no_wider_than_the_screen(operator: Profile, hour: None, visit: MakeVisit) -> None:
    browser = visit(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = open_dashboard(browser, operator)
    expect(page.locator("#budgets tbody tr")).not_to_have_count(0)
    assert violations(page, "/performance/") == []
