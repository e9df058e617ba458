from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone

from agents.models import Profile
from posts.publishing import signatures
from posts.publishing.models import WebhookDelivery
from posts.publishing.services.webhooks import deliver_due
from tests.conftest import MakeClient
from tests.networks.server import NetworkServer
from tests.networks.speakers import MastodonSpeaker
from tests.posts.publishing.test_never_twice_never_lost import MakeAccount
from tests.publishing import make_publication, publish_all

pytestmark = pytest.mark.django_db(transaction=True)


def subscribe(client: Any, networks: NetworkServer, *kinds: str) -> dict[str, Any]:
    body = {"url": f"{networks.url}/events", "kinds": kinds}
    answer: dict[str, Any] = client.post("/api/webhooks", body, format="json").json()
    return answer


def test_a_webhook_that_fails_after_success_repeats_the_message_and_never_the_post(
    alice: Profile, client_of: MakeClient, networks: NetworkServer, mastodon: MastodonSpeaker, account_on: MakeAccount
) -> None:
    client = client_of(alice)
    endpoint = subscribe(client, networks, "published")
    make_publication(account=account_on("mastodon"))
    publish_all()
    networks.fail("status", path="/events", status=500)
    networks.fail("status", path="/events", status=204)
    assert deliver_due() == 0
    WebhookDelivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert deliver_due() == 1
    publish_all()
    assert len(mastodon.posts) == 1
    log = client.get(f"/api/webhooks/{endpoint['id']}/deliveries").json()["results"]
    assert [(row["kind"], row["attempt"]) for row in log] == [("published", 2)]
    assert log[0]["delivered_at"]


def test_a_message_is_signed_and_keeps_its_id_when_it_is_replayed(
    alice: Profile, client_of: MakeClient, networks: NetworkServer, account_on: MakeAccount
) -> None:
    client = client_of(alice)
    secret = subscribe(client, networks, "created")["signing_secret"]
    make_publication(account=account_on("mastodon"))
    deliver_due()
    delivery = WebhookDelivery.objects.get()
    assert client.post(f"/api/webhooks/deliveries/{delivery.pk}/replay").status_code == 202
    deliver_due()
    first, second = networks.seen("POST", "/events")
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert signatures.is_genuine(first.headers, first.raw, secret=secret)
    assert orjson.loads(first.raw)["type"] == "created"


@pytest.mark.parametrize(
    ("change", "secret", "age"),
    [
        ({}, "wrong", 0),
        ({"webhook-id": "other"}, "right", 0),
        ({}, "right", 301),
        ({"webhook-signature": ""}, "right", 0),
    ],
)
def test_a_tampered_or_replayed_signature_is_refused(change: dict[str, str], secret: str, age: int) -> None:
    now = 1_800_000_000
    headers = signatures.sign("id", b"body", secret="right", now=now)
    assert signatures.is_genuine(headers, b"body", secret="right", now=now + 299)
    assert not signatures.is_genuine(headers | change, b"body", secret=secret, now=now + age)
    assert not signatures.is_genuine(headers, b"other", secret="right", now=now)
