from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from agents.models import Profile
from posts.publishing.models import SocialAccount
from posts.publishing.networks import NETWORKS, http, network_named
from tests.networks.server import NetworkServer
from tests.networks.speakers import (
    BlueskySpeaker,
    GraphSpeaker,
    LinkedInSpeaker,
    MastodonSpeaker,
    Speaker,
    WebhookSpeaker,
    XSpeaker,
)
from tests.publishing import make_account


@pytest.fixture
def networks(settings: Settings) -> Iterator[NetworkServer]:
    """All networks, on one local server; time-outs short enough for a test."""
    with NetworkServer() as server:
        settings.FETCH_ALLOWED_NETWORKS = ["127.0.0.0/8"]
        settings.OUTBOUND_TIMEOUT_SECONDS = 0.3
        settings.NETWORK_URLS = dict.fromkeys(NETWORKS, server.url)
        settings.NETWORK_TOKEN_URLS = {"x": f"{server.url}/2/oauth2/token", "linkedin": f"{server.url}/oauth/token"}
        yield server
        http.connections().close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let absence count as proof at once: the local networks have no lag."""
    for name in NETWORKS:
        monkeypatch.setattr(network_named(name), "settle_seconds", 0)


def speaker_fixture(kind: type[Speaker]) -> Any:
    def fixture(networks: NetworkServer) -> Speaker:
        speaker = kind()
        networks.speakers.append(speaker)  # type: ignore[arg-type]
        return speaker

    return pytest.fixture(fixture)


mastodon = speaker_fixture(MastodonSpeaker)
bluesky = speaker_fixture(BlueskySpeaker)
x = speaker_fixture(XSpeaker)
linkedin = speaker_fixture(LinkedInSpeaker)
graph = speaker_fixture(GraphSpeaker)
webhook = speaker_fixture(WebhookSpeaker)


@pytest.fixture
def account_on(alice: Profile, networks: NetworkServer) -> Callable[..., SocialAccount]:
    """Make an account of alice's on a network."""

    def make(network: str, **fields: Any) -> SocialAccount:
        if network == "webhook":
            fields.setdefault("base_url", f"{networks.url}/hook")
        return make_account(owner=alice, network=network, **fields)

    return make
