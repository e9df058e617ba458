"""What is remembered for a while only, forgotten in batches: no transaction holds many rows, and all may run twice."""

import time
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from agents.models import IdempotentRequest, RateWindow, Session

BATCH = 5000
WINDOWS_KEPT_SECONDS = 3600
ANSWERS_KEPT = timedelta(days=7)


def prune() -> int:
    """Delete limits, stored answers and log-ins whose time is over; return how many rows."""
    return sum(map(_delete, (old_windows(), old_answers(), Session.objects.filter(expire_date__lt=timezone.now()))))


def old_windows() -> QuerySet[RateWindow]:
    return RateWindow.objects.filter(window__lt=int(time.time()) - WINDOWS_KEPT_SECONDS)


def old_answers() -> QuerySet[IdempotentRequest]:
    return IdempotentRequest.objects.filter(created_at__lt=timezone.now() - ANSWERS_KEPT)


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    while True:
        count: int
        count, _ = rows.model._default_manager.filter(pk__in=rows.values("pk")[:BATCH]).delete()
        deleted += count
        if count < BATCH:
            return deleted
