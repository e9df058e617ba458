"""OAuth 2 with PKCE, the same for every network that has it. Source: RFC 6749, 7636 and 9700."""

from typing import TYPE_CHECKING

from django.conf import settings

from posts.publishing.models import SocialAccount
from posts.publishing.networks import http
from posts.publishing.networks.base import Credentials, read_json
from posts.publishing.networks.errors import NeedsReconnect, Refused

if TYPE_CHECKING:
    from posts.publishing.networks.base import Network


def refresh(network: "Network", account: SocialAccount) -> Credentials:
    """Exchange an account's refresh token at the network's token address.

    Raises `NeedsReconnect` when the network refuses the token itself.
    """
    client_id, client_secret = network.app_credentials()
    form = {
        "grant_type": "refresh_token",
        "refresh_token": account.refresh_token.reveal(),
        "client_id": client_id,
    }
    if client_secret:
        form["client_secret"] = client_secret
    try:
        answer = http.call("POST", settings.NETWORK_TOKEN_URLS[network.name], data=form)
    except Refused as refusal:
        raise NeedsReconnect(str(refusal)) from refusal
    return credentials_from(read_json(answer))


def credentials_from(answer: dict[str, object]) -> Credentials:
    """Read a token answer (RFC 6749, section 5.1)."""
    expires_in = answer.get("expires_in")
    return Credentials(
        access_token=str(answer["access_token"]),
        refresh_token=str(answer.get("refresh_token") or ""),
        expires_in=int(str(expires_in)) if expires_in else None,
        scopes=tuple(str(answer.get("scope") or "").replace(",", " ").split()),
    )
