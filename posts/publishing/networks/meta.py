"""What Facebook and Instagram share: the Graph API and its errors.

Source: https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings
from django.utils import timezone

from posts.publishing.models import SocialAccount
from posts.publishing.networks.base import Network
from posts.publishing.networks.errors import (
    DuplicateRefused,
    NeedsReconnect,
    NetworkError,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
)

TOKEN_INVALID = {102, 190}
RATE_LIMITS = {4, 17, 32, 341, 368, 613, 80001, 80002}
TEMPORARY = {1, 2}
DUPLICATE = {506}
DEPRECATED_VERSION = {2635}


class GraphNetwork(Network):
    """A network behind the Graph API: the reason of a refusal is a code in the body, not the status."""

    def graph(
        self, account: SocialAccount, method: str, path: str, *, publishes: bool = False, **options: Any
    ) -> httpx.Response:
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
