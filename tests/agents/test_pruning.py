"""What is remembered for a while only."""

import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import IdempotentRequest, Profile, RateWindow, Session
from agents.services import pruning
from agents.tasks import prune
from config.celery import app
from tests.plans import plan_of

pytestmark = pytest.mark.django_db


def make_windows(count: int, *, age_seconds: int) -> None:
    window = int(time.time()) - age_seconds
    RateWindow.objects.bulk_create(
        RateWindow(caller=f"{age_seconds}:{number}", window=window, count=1) for number in range(count)
    )


def test_what_is_over_goes_in_batches_and_the_rest_stays(alice: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    make_windows(5, age_seconds=4000)
    make_windows(1, age_seconds=60)
    for key in ("old", "new"):
        IdempotentRequest.objects.create(profile=alice, key=key, fingerprint=b"", status=201)
    IdempotentRequest.objects.filter(key="old").update(created_at=timezone.now() - timedelta(days=8))
    for days in (-1, 1):
        Session.objects.create(session_key=str(days), expire_date=timezone.now() + timedelta(days=days))
    with CaptureQueriesContext(connection) as statements:
        assert prune() == 7
    assert sum("agents_ratewindow" in row["sql"] for row in statements) == 3
    assert prune() == 0
    assert (RateWindow.objects.get().caller, IdempotentRequest.objects.get().key) == ("60:0", "new")
    assert Session.objects.get().session_key == "1"


def test_old_limits_are_found_by_their_index() -> None:
    make_windows(3000, age_seconds=60)
    make_windows(30, age_seconds=4000)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {RateWindow._meta.db_table}")
    plan = plan_of(pruning.old_windows().values("pk")[: pruning.BATCH])
    assert plan.indexes == {"rate_window_age"} and not plan.sequential


def test_every_task_of_the_beat_exists() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)
