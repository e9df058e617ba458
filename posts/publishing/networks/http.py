"""Talk HTTP to outside networks: global addresses only, bounded answers, honest errors."""

import socket
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpcore
import httpx
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from agents.knowledge.fetching.addresses import may_connect
from posts.publishing.networks.errors import (
    NeedsReconnect,
    NetworkError,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
)

MAX_ANSWER_BYTES = 1_000_000
LONGEST_BLOCK = timedelta(days=1)
BEFORE_THE_REQUEST = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class GlobalAddresses(httpcore.NetworkBackend):
    """Connect to global addresses only, checked on the very address that is connected to.

    A name that answers differently the second time gains nothing: it is resolved once, here.
    """

    def __init__(self) -> None:
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved") from error
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses or not all(may_connect(address) for address in addresses):
            raise httpcore.ConnectError(f"{host} is not on the public internet")
        return self._sockets.connect_tcp(addresses[0], port, timeout, local_address, socket_options)


@lru_cache(maxsize=1)
def client() -> httpx.Client:
    """Return the process's client; it is safe to use from many threads."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=5)
    transport = httpx.HTTPTransport(limits=limits, trust_env=False)
    # httpx has no argument for the network back-end; its transport is only this pool.
    transport._pool = httpcore.ConnectionPool(
        ssl_context=httpx.create_ssl_context(trust_env=False),
        max_connections=limits.max_connections,
        max_keepalive_connections=limits.max_keepalive_connections,
        keepalive_expiry=limits.keepalive_expiry,
        network_backend=GlobalAddresses(),
    )
    return httpx.Client(
        transport=transport,
        timeout=settings.OUTBOUND_TIMEOUT_SECONDS,
        headers={"User-Agent": settings.OUTBOUND_USER_AGENT},
    )


def call(method: str, url: str, *, publishes: bool = False, **options: Any) -> httpx.Response:
    """Send one request and return its successful answer, read in full.

    `publishes` marks the one request after which a lost answer is an unknown outcome; every other one can be
    repeated. Raises what `networks.errors` names. Redirects are never followed.
    """
    lost = OutcomeUnknown if publishes else NotSent
    try:
        with client().stream(method, url, **options) as response:
            body = _read(response)
    except BEFORE_THE_REQUEST as error:
        raise NotSent(f"No connection: {error}") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise lost(f"The answer was lost: {type(error).__name__}") from error
    answer = httpx.Response(response.status_code, headers=_plain(response.headers), content=body)
    raise_for(answer, lost=lost)
    return answer


def _plain(headers: httpx.Headers) -> httpx.Headers:
    """Drop what described the transfer: the body is decoded already."""
    return httpx.Headers([(k, v) for k, v in headers.multi_items() if k not in ("content-encoding", "content-length")])


def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    slowest = time.monotonic() + 2 * settings.OUTBOUND_TIMEOUT_SECONDS
    for chunk in response.iter_bytes(65_536):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES or time.monotonic() > slowest:
            raise httpx.DecodingError("The answer is too long.", request=response.request)
    return bytes(body)


def raise_for(answer: httpx.Response, *, lost: type[NetworkError]) -> None:
    """Translate a status into what it says about the effect."""
    status = answer.status_code
    if answer.is_success:
        return
    if status == 401:
        raise NeedsReconnect("The network no longer accepts the credentials (401).")
    if status == 426:
        raise NeedsReconnect("The network no longer accepts this version of its API (426).")
    if status == 429:
        raise RateLimited("Too many requests (429).", until=reset_moment(answer.headers))
    if status >= 500 or status == 408:
        # A gateway answers 502 and 504 also when the server behind it did the work.
        raise lost(f"The network failed ({status}).")
    code, words = describe(answer)
    raise Refused(f"The network refused it ({status}): {words}", code=code)


def describe(answer: httpx.Response) -> tuple[int | str | None, str]:
    """Return the network's own code and words about an error, at most 200 characters of them."""
    try:
        body = answer.json()
    except ValueError:
        return None, answer.reason_phrase
    error = body.get("error") if isinstance(body, dict) else None
    body = error if isinstance(error, dict) else body
    if not isinstance(body, dict):
        return None, answer.reason_phrase
    code = body.get("code") or (error if isinstance(error, str) else None)
    words = (body.get(field) for field in ("error_description", "detail", "message", "error", "title"))
    return code, next((word[:200] for word in words if isinstance(word, str)), answer.reason_phrase)


def reset_moment(headers: httpx.Headers) -> datetime:
    """Read when a rate limit ends: Retry-After (seconds or date), or a reset header (epoch or ISO 8601)."""
    now = timezone.now()
    until = now + timedelta(seconds=60)
    for name in ("retry-after", "x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset"):
        if value := headers.get(name):
            until = _moment(value, now=now) or until
            break
    return min(max(until, now + timedelta(seconds=1)), now + LONGEST_BLOCK)


def _moment(value: str, *, now: datetime) -> datetime | None:
    try:
        number = float(value)
        return datetime.fromtimestamp(number, UTC) if number > 1_000_000_000 else now + timedelta(seconds=number)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        parsed = parse_datetime(value) or parsedate_to_datetime(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
