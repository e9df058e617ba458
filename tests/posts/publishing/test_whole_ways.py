"""From the consent page to the figures that come back, for an organisation on LinkedIn and for Instagram."""

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
from tests.networks.server import Answer, NetworkServer, Request
from tests.networks.speakers import GraphSpeaker, LinkedInSpeaker
from tests.posts.publishing.test_mastodon_mock import picture
from tests.publishing import publish_all

pytestmark = pytest.mark.django_db(transaction=True)

ORGANISATION = "urn:li:organization:5"
SCOPES = "openid,profile,w_member_social,r_organization_social,w_organization_social,rw_organization_admin"


class WholeLinkedIn(LinkedInSpeaker):
    """With its token endpoint, the roles of a person, images and figures."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.images: list[bytes] = []
        self.tokens = {"member-token"}

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path:
            case "POST", "/oauth/token":
                return Answer(200, {"access_token": "member-token", "expires_in": 5_184_000, "scope": SCOPES})
            case "GET", "/v2/userinfo":
                return self.refused(request) or Answer(200, {"sub": "alice", "name": "Alice"})
            case "GET", "/rest/organizationAcls":
                return self.refused(request) or Answer(200, {"elements": [{"organization": ORGANISATION}]})
            case "POST", "/rest/images":
                owner = request.json["initializeUploadRequest"]["owner"]
                return Answer(200, {"value": {"uploadUrl": f"{self.url}/upload", "image": f"urn:li:image:{owner[-1]}"}})
            case "PUT", "/upload":
                self.images.append(request.raw)
                return Answer(201)
            case "GET", path if path.startswith("/rest/socialActions/"):
                return Answer(
                    200, {"likesSummary": {"totalLikes": 4}, "commentsSummary": {"aggregatedTotalComments": 2}}
                )
        return super().__call__(request)

    def create(self, body: dict[str, Any]) -> Answer:
        answer = super().create(body)
        self.posts[0] |= {"author": body["author"], "content": body.get("content")}
        return answer


class WholeInstagram(GraphSpeaker):
    """With its token endpoint, the pages of a person and figures."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.tokens = {"page-token"}
        self.polls = 3

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path.split("/")[2:]:
            case "POST", ["oauth", "access_token"]:
                self.forms.append(request.form)
                is_long = request.form["grant_type"] == "fb_exchange_token"
                return Answer(200, {"access_token": "long" if is_long else "brief", "expires_in": 3600})
            case "GET", ["me", "accounts"]:
                account = {"id": "gram", "username": "wren"}
                pages = [{"access_token": "page-token", "instagram_business_account": account}, {"access_token": "x"}]
                return Answer(200, {"data": pages}) if request.token == "long" else Answer(401)
            case "POST", ["gram", "media"]:
                self.bodies.append(request.json)
            case "GET", [post_id] if any(post["id"] == post_id for post in self.posts):
                return Answer(200, {"like_count": 7, "comments_count": 1})
        return super().__call__(request)


def connect(client: Any, network: str) -> list[dict[str, Any]]:
    asked = client.post("/api/accounts", {"network": network}, format="json").json()["authorize_url"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked).query).items()}
    answer = client.get(f"/api/accounts/callback/{network}", {"state": query["state"], "code": "good"})
    assert answer.status_code == 200, answer.json()
    accounts: list[dict[str, Any]] = answer.json()
    return accounts


def publish(client: Any, author: Profile, account: int) -> Publication:
    post = make_post(author=author, title="A wren", body="It sang.", image_alt="A wren on a branch")
    post.image.save("bird.png", picture())
    answer = client.post("/api/publish", {"accounts": [account], "post": post.pk}, format="json")
    assert answer.status_code == 202, answer.json()
    publish_all()
    return Publication.objects.get()


def totals(client: Any) -> dict[str, int]:
    LatestFigures.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert fetch_due() == 1
    found: dict[str, int] = client.get("/api/analytics/summary").json()["total"]
    return found


def test_an_organisation_on_linkedin(
    alice: Profile, client_of: MakeClient, networks: NetworkServer, settings: Settings
) -> None:
    settings.NETWORK_APPS = {"linkedin": {"client_id": "house", "client_secret": "hush"}}
    settings.LINKEDIN_SCOPES = SCOPES.split(",")
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
