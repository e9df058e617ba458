"""What Facebook and Instagram share: the Graph API and its errors.

Source: https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from abc import abstractmethod
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import httpx2
from django.conf import settings
from django.utils import timezone

from posts.publishing.models import SocialAccount
from posts.publishing.networks import http
from posts.publishing.networks.base import Credentials, Identity, read_json
from posts.publishing.networks.errors import (
    DuplicateRefused,
    NeedsReconnect,
    NetworkError,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
)
from posts.publishing.networks.oauth import OAuthNetwork, credentials_from
from posts.publishing.tokens import Secret

TOKEN_INVALID = {102, 190}
RATE_LIMITS = {4, 17, 32, 341, 368, 613, 80001, 80002}
TEMPORARY = {1, 2}
DUPLICATE = {506}
DEPRECATED_VERSION = {2635}


class GraphNetwork(OAuthNetwork):
    """A network behind the Graph API: the reason of a refusal is a code in the body, not the status."""

    scope_separator = ","
    page_fields: str

    @abstractmethod
    def identity_of(self, page: dict[str, Any]) -> Identity | None:
        """Return the account that comes with a page of the person who consented."""

    def identities(self, credentials: Credentials, base_url: str) -> Iterable[tuple[Identity, Credentials]]:
        path = f"/{settings.META_GRAPH_VERSION}/me/accounts?limit=100&fields={self.page_fields}"
        for page in read_json(self.ask(credentials, base_url, path), "data"):
            if identity := self.identity_of(page):
                # A page's own token does not run out.
                yield identity, Credentials(page["access_token"], scopes=credentials.scopes)

    def exchange(self, **options: Any) -> Credentials:
        """Exchange the code, and the short-lived token that it gives for a long-lived one."""
        brief = super().exchange(**options)
        client_id, client_secret = options["client"]
        form = {
            "grant_type": "fb_exchange_token",
            "fb_exchange_token": Secret(brief.access_token),
            "client_id": client_id,
            "client_secret": client_secret,
        }
        return credentials_from(read_json(http.call("POST", self.token_url(options["base_url"]), data=form)))

    def graph(
        self, account: SocialAccount, method: str, path: str, *, publishes: bool = False, **options: Any
    ) -> httpx2.Response:
        try:
            return self.call(account, method, f"/{settings.META_GRAPH_VERSION}{path}", publishes=publishes, **options)
        except Refused as refusal:
            raise translate(refusal, publishes=publishes) from refusal


def translate(refusal: Refused, *, publishes: bool) -> NetworkError:
    """Return the error that a Graph API code stands for."""
    code, message = refusal.code, str(refusal)
    if code in TOKEN_INVALID | DEPRECATED_VERSION:
        return NeedsReconnect(message)
    if code in RATE_LIMITS:
        return RateLimited(message, until=timezone.now() + timedelta(minutes=15))
    if code in DUPLICATE:
        return DuplicateRefused(message)
    if code in TEMPORARY:
        return OutcomeUnknown(message) if publishes else NotSent(message)
    return refusal


def next_page(page: dict[str, Any]) -> str | None:
    """Return what to go on after, or None on the last page."""
    paging = page.get("paging", {})
    return str(paging["cursors"]["after"]) if "next" in paging else None
