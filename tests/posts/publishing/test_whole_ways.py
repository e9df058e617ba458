"""From the consent page to the figures that come back, for the networks that only a local server speaks for."""

import itertools
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from agents.models import Profile
from posts.publishing.models import LatestFigures, Publication, SocialAccount
from posts.publishing.services.metrics import fetch_due
from tests.conftest import MakeClient
from tests.factories import make_post
from tests.networks.server import NetworkServer
from tests.networks.whole import (
    LINK,
    LINKEDIN_SCOPES,
    ORGANISATION,
    WholeFacebook,
    WholeInstagram,
    WholeLinkedIn,
    WholeX,
)
from tests.posts.publishing.test_mastodon_mock import picture
from tests.publishing import publish_all

pytestmark = pytest.mark.django_db(transaction=True)


def consent(client: Any, network: str) -> dict[str, str]:
    """Ask for the consent page; return what is asked of it."""
    asked = client.post("/api/accounts", {"network": network}, format="json").json()["authorize_url"]
    return {name: values[0] for name, values in parse_qs(urlsplit(asked).query).items()}


def come_back(client: Any, network: str, asked: dict[str, str]) -> list[dict[str, Any]]:
    answer = client.get(f"/api/accounts/callback/{network}", {"state": asked["state"], "code": "good"})
    assert answer.status_code == 200, answer.json()
    accounts: list[dict[str, Any]] = answer.json()
    return accounts


def connect(client: Any, network: str) -> list[dict[str, Any]]:
    return come_back(client, network, consent(client, network))


def publish(client: Any, author: Profile, account: int, *, body: str = "It sang.") -> Publication:
    """Schedule a post with its image and let its time come."""
    post = make_post(author=author, title="A wren", body=body, image_alt="A wren on a branch")
    post.image.save("bird.png", picture())
    moment = (timezone.now() + timedelta(hours=1)).isoformat()
    wanted = {"accounts": [account], "post": post.pk, "scheduled_at": moment}
    answer = client.post("/api/schedule", wanted, format="json")
    assert answer.status_code == 202, answer.json()
    publication = Publication.objects.get(pk=answer.json()["publications"][0]["id"])
    Publication.objects.filter(pk=publication.pk).update(scheduled_at=timezone.now(), due_at=timezone.now())
    publish_all()
    publication.refresh_from_db()
    return publication


def steps_of(publication: Publication) -> list[str]:
    return list(publication.events.order_by("id").values_list("to_status", flat=True))


def totals(client: Any) -> dict[str, int]:
    LatestFigures.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert fetch_due() == 1
    found: dict[str, int] = client.get("/api/analytics/summary").json()["total"]
    return found


def test_an_organisation_on_linkedin(
    alice: Profile, client_of: MakeClient, networks: NetworkServer, settings: Settings
) -> None:
    settings.NETWORK_APPS = {"linkedin": {"client_id": "house", "client_secret": "hush"}}
    settings.LINKEDIN_SCOPES = LINKEDIN_SCOPES.split(",")
    linkedin = WholeLinkedIn(networks.url)
    networks.speakers.append(linkedin)  # type: ignore[arg-type]
    client = client_of(alice)
    handles = {account["handle"]: account["id"] for account in connect(client, "linkedin")}
    assert handles.keys() == {"Alice", ORGANISATION}
    # The answer is lost after LinkedIn has taken the post: it is read back, which organisations allow.
    networks.fail("reset", path="/rest/posts", after=True)
    publication = publish(client, alice, handles[ORGANISATION])
    assert publication.status == "published"
    assert [post["author"] for post in linkedin.posts] == [ORGANISATION]
    assert linkedin.posts[0]["content"]["media"] == {"id": "urn:li:image:5", "altText": "A wren on a branch"}
    assert linkedin.images[0].startswith(b"\xff\xd8")
    assert publication.remote_id == linkedin.posts[0]["urn"]
    versions = {request.headers["linkedin-version"] for request in networks.seen("POST", "/rest/.*")}
    assert versions == {settings.LINKEDIN_VERSION}
    sums = totals(client)
    assert (sums["likes"], sums["comments"], sums["published_count"]) == (4, 2, 1)


def test_instagram(
    alice: Profile,
    client_of: MakeClient,
    networks: NetworkServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("posts.publishing.networks.instagram.POLL_SECONDS", 0.01)
    settings.NETWORK_APPS = {"instagram": {"client_id": "house", "client_secret": "hush"}}
    settings.NETWORK_TOKEN_URLS = {"instagram": f"{networks.url}/v25.0/oauth/access_token"}
    settings.PUBLIC_URL = "https://house.example"
    graph = WholeInstagram()
    networks.speakers.append(graph)  # type: ignore[arg-type]
    client = client_of(alice)
    (account,) = connect(client, "instagram")
    assert account["handle"] == "wren"
    assert [form["grant_type"] for form in graph.forms] == ["authorization_code", "fb_exchange_token"]
    # A page's token is the one that publishes, and it does not run out.
    assert SocialAccount.objects.get().access_token.reveal() == "page-token"
    assert account["token_expires_at"] is None
    publication = publish(client, alice, account["id"])
    assert publication.status == "published"
    assert graph.texts() == ["A wren\n\nIt sang."]
    assert graph.bodies[0]["image_url"].startswith("https://house.example/media/publications/")
    assert graph.bodies[0]["alt_text"] == "A wren on a branch"
    steps = [request.path.rpartition("/")[2][0] for request in networks.requests if "access" not in request.path]
    # The container is made, asked for until it is ready, and published once.
    assert [name for name, _ in itertools.groupby(steps)][-3:] == ["m", "c", "m"]
    sums = totals(client)
    assert (sums["likes"], sums["comments"], sums["published_count"]) == (7, 1, 1)


def test_x(alice: Profile, client_of: MakeClient, networks: NetworkServer, settings: Settings) -> None:
    settings.NETWORK_APPS = {"x": {"client_id": "house", "client_secret": "hush"}}
    x = WholeX()
    networks.speakers.append(x)  # type: ignore[arg-type]
    client = client_of(alice)
    asked = consent(client, "x")
    assert set(asked["scope"].split()) >= {"tweet.write", "media.write", "offline.access"}
    x.challenge = asked["code_challenge"]
    (account,) = come_back(client, "x", asked)
    # Its two hours are over when the post's time comes, and the answer to the post is lost.
    SocialAccount.objects.update(token_expires_at=timezone.now())
    networks.fail("reset", path="/2/tweets", after=True)
    publication = publish(client, alice, account["id"], body=f"It sang & sang. {LINK}")
    assert steps_of(publication) == ["scheduled", "queued", "sending", "unknown", "published"]
    assert x.texts() == [f"A wren\n\nIt sang & sang. {LINK}"]
    assert x.posts[0]["media"] == {"media_ids": ["771"]}
    assert x.uploads[0]["media"].startswith("\xff\xd8")
    assert x.alt_texts == {"771": "A wren on a branch"}
    assert (publication.remote_id, publication.remote_url) == (
        x.posts[0]["id"],
        f"https://x.com/wren/status/{x.posts[0]['id']}",
    )
    # The token has run out once more when the figures are due, and nothing is published that would renew it.
    SocialAccount.objects.update(token_expires_at=timezone.now())
    sums = totals(client)
    assert (sums["likes"], sums["comments"], sums["shares"], sums["views"]) == (11, 4, 3, 300)
    assert x.refreshes == 3
    assert SocialAccount.objects.get().refresh_token.reveal() == "refresh-3"


def test_a_facebook_page(alice: Profile, client_of: MakeClient, networks: NetworkServer, settings: Settings) -> None:
    settings.NETWORK_APPS = {"facebook": {"client_id": "house", "client_secret": "hush"}}
    settings.NETWORK_TOKEN_URLS = {"facebook": f"{networks.url}/v25.0/oauth/access_token"}
    facebook = WholeFacebook()
    networks.speakers.append(facebook)  # type: ignore[arg-type]
    client = client_of(alice)
    (account,) = connect(client, "facebook")
    assert (account["handle"], account["token_expires_at"]) == ("Wrens", None)
    assert [form["grant_type"] for form in facebook.forms] == ["authorization_code", "fb_exchange_token"]
    networks.fail("timeout", path="/v25.0/page/feed", after=True)
    publication = publish(client, alice, account["id"])
    assert steps_of(publication) == ["scheduled", "queued", "sending", "unknown", "published"]
    assert facebook.texts() == ["A wren\n\nIt sang."]
    assert facebook.bodies[0]["attached_media"] == [{"media_fbid": "photo1"}]
    assert facebook.photos[0]["alt_text_custom"] == "A wren on a branch"
    assert facebook.photos[0]["source"].startswith("\xff\xd8")
    assert publication.remote_id == f"page_{facebook.posts[0]['id']}"
    sums = totals(client)
    assert (sums["likes"], sums["comments"], sums["shares"]) == (9, 3, 2)
    # A page's token is renewed by its owner only: what is due waits for that.
    facebook.tokens, facebook.pages[0]["access_token"] = {"new-token"}, "new-token"
    waiting = publish(client, alice, account["id"], body="It sang again.")
    assert (waiting.status, waiting.error_class) == ("queued", "needs_reconnect")
    assert client.get("/api/accounts").json()["results"][0]["state"] == "needs_reconnect"
    connect(client, "facebook")
    publish_all()
    waiting.refresh_from_db()
    assert waiting.status == "published"
    assert facebook.texts() == ["A wren\n\nIt sang again.", "A wren\n\nIt sang."]
