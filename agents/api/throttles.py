from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from agents.models import ApiKey
from agents.services.rates import spend, spend_cheaply

if TYPE_CHECKING:
    from rest_framework.views import APIView

WINDOW_SECONDS = 60


def reader(key_id: int) -> str:
    """Name who is counted when a key reads."""
    return f"read:key:{key_id}"


def caller_of(request: Request) -> str:
    """Name who calls: the key, the person who is logged in, or the address of a stranger."""
    if isinstance(request.auth, ApiKey):
        return f"key:{request.auth.pk}"
    if request.user and request.user.is_authenticated:
        return f"user:{request.user.pk}"
    return f"address:{BaseThrottle().get_ident(request)}"


def login_caller(request: Request | HttpRequest, username: str) -> str:
    """Name who tries to log in: the address and the user name, so that nobody locks anybody else out."""
    # It reads headers alone, which both kinds of request have.
    address = BaseThrottle().get_ident(request)  # type: ignore[arg-type]
    return f"login:{address}:{sha256(username.encode('utf-8', 'replace')).hexdigest()}"


class CallerThrottle(BaseThrottle):
    """Limit each caller's requests per minute, exactly: the count is one atomic step.

    Writes are counted in PostgreSQL, which they need anyway, so that losing the cache loosens no limit.
    Limits are `settings.REQUESTS_PER_MINUTE`: read, write and stranger.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        if (counted := getattr(request, "counted", None)) is not None:
            return bool(counted <= settings.REQUESTS_PER_MINUTE["read"])
        caller = caller_of(request)
        is_read = request.method in SAFE_METHODS
        kind = "stranger" if caller.startswith("address:") else "read" if is_read else "write"
        count = (spend_cheaply if is_read else spend)(caller=f"{kind}:{caller}", window_seconds=WINDOW_SECONDS)
        return count <= settings.REQUESTS_PER_MINUTE[kind]

    def wait(self) -> float:
        return WINDOW_SECONDS - time.time() % WINDOW_SECONDS


class LoginThrottle(CallerThrottle):
    """Limit attempts to log in per user name and address; others who try do not lock the person out."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        username = str(request.data.get("username", "")) if isinstance(request.data, dict) else ""
        return (
            spend(caller=login_caller(request, username), window_seconds=WINDOW_SECONDS)
            <= settings.REQUESTS_PER_MINUTE["login"]
        )
