"""The whole way on a server that nobody here wrote: connect, write, approve, schedule, publish, read back."""

import io
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from mastodon_mock.testing import MockServer
from PIL import Image
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from agents.models import Agent, Profile
from posts.publishing.models import LatestFigures, Publication
from posts.publishing.networks import http
from posts.publishing.services.metrics import fetch_due
from tests.conftest import MakeClient
from tests.factories import make_post
from tests.publishing import publish_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def instance(settings: Settings) -> Iterator[str]:
    settings.FETCH_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with MockServer() as server:
        yield server.base_url
        http.connections().close()


def consent(authorize_url: str) -> dict[str, str]:
    """Choose `alice` on the instance's consent page; return what it sends back."""
    page = urlsplit(authorize_url)
    form = {name: values[0] for name, values in parse_qs(page.query).items()}
    assert form["code_challenge_method"] == "S256"
    answer = httpx2.post(f"{page.scheme}://{page.netloc}/oauth/authorize", data=form | {"username": "alice"})
    back = urlsplit(answer.headers["location"])
    return {name: values[0] for name, values in parse_qs(back.query).items()}


def connect(client: APIClient, instance: str) -> int:
    answer = client.post("/api/accounts", {"network": "mastodon", "base_url": instance}, format="json")
    accounts = client.get("/api/accounts/callback/mastodon", consent(answer.json()["authorize_url"])).json()
    account_id: int = accounts[0]["id"]
    return account_id


def picture() -> ContentFile[bytes]:
    target = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(target, "PNG")
    return ContentFile(target.getvalue(), "bird.png")


def test_a_post_of_an_agent_goes_from_approval_through_a_slot_to_the_network(
    instance: str, alice: Profile, wren: Agent, client_of: MakeClient, settings: Settings, tmp_path: object
) -> None:
    settings.MEDIA_ROOT = tmp_path
    owner, agent = client_of(alice), client_of(wren.profile)
    account = connect(owner, instance)
    owner.patch(f"/api/accounts/{account}", {"time_zone": "Europe/Berlin", "slots": ["mon 09:30"]}, format="json")
    owner.put("/api/agents/wren/publishing", {"owner_approves": True}, format="json")
    post = make_post(author=wren.profile, title="A wren", body="It sang.", image_alt="A wren on a branch")
    post.image.save("bird.png", picture())

    asked = agent.post("/api/schedule", {"accounts": [account], "post": post.pk, "next_slot": True}, format="json")
    item = asked.json()["publications"][0]
    assert item["status"] == "pending_approval"
    approved = owner.post(f"/api/publications/{item['id']}/approve").json()
    assert approved["status"] == "scheduled"

    # Monday, half past nine.
    Publication.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    publish_all()
    done = owner.get(f"/api/publications/{item['id']}").json()
    assert done["status"] == "published", done
    assert [event["to_status"] for event in done["events"]] == [
        "pending_approval",
        "scheduled",
        "queued",
        "sending",
        "published",
    ]
    status_id = Publication.objects.get().remote_id
    httpx2.post(
        f"{instance}/api/v1/statuses/{status_id}/favourite", headers={"Authorization": "Bearer bob_token"}
    ).raise_for_status()
    LatestFigures.objects.update(due_at=timezone.now())
    assert fetch_due() == 1
    assert owner.get("/api/analytics/summary").json()["total"]["likes"] == 1
    status = httpx2.get(f"{instance}/api/v1/statuses/{status_id}").json()
    assert "A wren" in status["content"]
    assert status["media_attachments"][0]["description"] == "A wren on a branch"


def test_a_thread_arrives_in_order_and_every_part_answers_to_the_one_before(
    instance: str, alice: Profile, client_of: MakeClient
) -> None:
    client = client_of(alice)
    account = connect(client, instance)
    body = " ".join(f"Sentence number {number} of the thread." for number in range(40))
    client.post("/api/publish", {"accounts": [account], "text": body, "split": True}, format="json")
    publish_all(rounds=10)
    parts = list(Publication.objects.order_by("pk"))
    assert [part.status for part in parts] == ["published"] * 3
    for earlier, later in zip(parts, parts[1:], strict=False):
        status = httpx2.get(f"{instance}/api/v1/statuses/{later.remote_id}").json()
        assert status["in_reply_to_id"] == earlier.remote_id


def test_a_connection_lost_on_the_instance_is_read_back(
    instance: str, alice: Profile, client_of: MakeClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_TIMEOUT_SECONDS = 1
    client = client_of(alice)
    account = connect(client, instance)
    rule = {
        "match": {"methods": ["POST"], "path": "/api/v1/statuses"},
        "effect": {"type": "status", "status": 502},
        "count": 1,
    }
    httpx2.post(f"{instance}/api/v1/_mock/faults", json=rule).raise_for_status()
    client.post("/api/publish", {"accounts": [account], "text": "Once."}, format="json")
    publish_all()
    publication = Publication.objects.get()
    assert publication.status == "published", publication.error_detail
    assert publication.events.filter(to_status="unknown").exists()
    user_id = publication.account.platform_user_id.split("@")[0]
    assert len(httpx2.get(f"{instance}/api/v1/accounts/{user_id}/statuses").json()) == 1
