from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from agents.knowledge import counts
from agents.knowledge.counts import Count, read_counts
from agents.knowledge.models import Content, Source
from agents.knowledge.services import save_author, save_content
from agents.knowledge.services.sources import request_source
from agents.models import Profile
from tests.budgets import assert_within_budget

pytestmark = pytest.mark.django_db
KEY = "a-monitoring-key-of-forty-characters-000"


def save_some(count: int) -> None:
    for number in range(count):
        save_content(platform="x", title="", text=f"Text {number}.", author=save_author(platform="x", name=str(number)))


def test_what_is_there_and_what_waits_is_counted(alice: Profile) -> None:
    save_some(3)
    Content.objects.filter(text="Text 0.").update(analyzed_at=timezone.now())
    request_source(profile=alice, kind="text", text="x")
    Source.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    request_source(profile=alice, kind="text", text="y")
    Source.objects.filter(text="y").update(due_at=timezone.now() + timedelta(hours=1))
    found = read_counts()
    assert {name: found[name].count for name in ("contents", "authors", "passages", "sources")} == {
        "contents": 3, "authors": 3, "passages": 0, "sources": 2,
    }  # fmt: skip
    assert (found["contents_to_index"], found["sources_due"]) == (Count(2, False), Count(1, False))
    assert not any(count.is_estimate for count in found.values())


def test_beyond_the_exact_an_estimate_stands_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "EXACT_UP_TO", 4)
    with connection.cursor() as cursor:
        # As if it were never analysed: nothing is known but that there are more.
        cursor.execute("TRUNCATE knowledge_content CASCADE")
        save_some(10)
        assert read_counts()["contents"] == Count(4, True)
        cursor.execute("ANALYZE knowledge_content")
    found = read_counts()
    assert found["contents"] == Count(10, True)
    assert found["contents_to_index"] == Count(4, True)


@pytest.mark.parametrize("size", [2, 20])
def test_health_is_one_statement_for_operators_only(client: Client, settings: Settings, size: int) -> None:
    settings.MONITORING_KEY = KEY
    save_some(size)
    assert client.get("/api/health/knowledge").status_code == 401
    operator = Client(headers={"Authorization": f"Bearer {KEY}"})
    shown = assert_within_budget(operator, "/api/health/knowledge", exact=True).json()
    assert shown["status"] == "ok"
    assert shown["counts"]["contents"] == {"count": size, "is_estimate": False}


def test_health_says_when_work_piles_up(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.knowledge.views.health.MAX_WAITING", 1)
    settings.MONITORING_KEY = KEY
    save_some(2)
    operator = Client(headers={"Authorization": f"Bearer {KEY}"})
    assert operator.get("/api/health/knowledge").json()["status"] == "behind"
