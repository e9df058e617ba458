"""Tell endpoints what happened: written with the event, delivered at least once, signed."""

import secrets
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from agents.models import Profile
from posts.publishing import signatures
from posts.publishing.models import WebhookDelivery, WebhookEndpoint
from posts.publishing.networks import http
from posts.publishing.tokens import Token

BACKOFF_SECONDS = (5, 30, 120, 600, 3600, 21_600, 86_400)
LEASE = timedelta(minutes=1)
THREADS = 8


def create_endpoint(*, owner: Profile, url: str, kinds: list[str]) -> tuple[WebhookEndpoint, str]:
    """Create an endpoint; return it and its signing secret, which is shown once."""
    secret = f"whsec_{secrets.token_urlsafe(32)}"
    endpoint = WebhookEndpoint.objects.create(owner=owner, url=url, kinds=sorted(set(kinds)), secret=Token.seal(secret))
    return endpoint, secret


def announce(*, owner_id: int, kind: str, **payload: Any) -> None:
    """Write a message to every endpoint that asked for this kind; in the transaction of the event itself."""
    endpoints = WebhookEndpoint.objects.filter(owner=owner_id, kinds__contains=[kind]).values_list("pk", flat=True)
    now = timezone.now()
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            endpoint_id=endpoint,
            message_id=uuid.uuid4(),
            kind=kind,
            payload={"type": kind, "at": now.isoformat(), "data": payload},
            due_at=now,
        )
        for endpoint in endpoints
    )


def replay(*, delivery: WebhookDelivery) -> None:
    """Deliver a message once more, under the id that it had."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(attempt=0, due_at=timezone.now())


def claim_deliveries(*, count: int) -> list[WebhookDelivery]:
    """Take messages in hand that are due; nobody else delivers them for a minute."""
    now = timezone.now()
    with transaction.atomic():
        due = WebhookDelivery.objects.filter(due_at__lte=now).select_for_update(skip_locked=True).order_by("due_at")
        ids = list(due.values_list("pk", flat=True)[:count])
        WebhookDelivery.objects.filter(pk__in=ids).update(due_at=now + LEASE, attempt=F("attempt") + 1)
    return list(WebhookDelivery.objects.filter(pk__in=ids).select_related("endpoint"))


def deliver_due(*, count: int = 100) -> int:
    """Deliver what is due; return how many arrived. Threads talk HTTP, this one the database."""
    claimed = claim_deliveries(count=count)
    with ThreadPoolExecutor(THREADS) as threads:
        sent = [(delivery, threads.submit(_post, delivery)) for delivery in claimed]
        return sum(_settle(delivery, future) for delivery, future in sent)


def _post(delivery: WebhookDelivery) -> None:
    body = orjson.dumps(delivery.payload)
    headers = signatures.sign(str(delivery.message_id), body, secret=delivery.endpoint.secret.reveal())
    headers["Content-Type"] = "application/json"
    http.call("POST", delivery.endpoint.url, content=body, headers=headers)


def _settle(delivery: WebhookDelivery, future: Future[None]) -> bool:
    error = future.exception()
    row = WebhookDelivery.objects.filter(pk=delivery.pk, attempt=delivery.attempt)
    if error is None:
        row.update(due_at=None, delivered_at=timezone.now(), last_error="")
        return True
    step = delivery.attempt - 1
    due_at = timezone.now() + timedelta(seconds=BACKOFF_SECONDS[step]) if step < len(BACKOFF_SECONDS) else None
    row.update(due_at=due_at, last_error=f"{type(error).__name__}: {error}"[:300])
    return False
