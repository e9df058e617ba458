"""Talk HTTP to outside networks: global addresses only, bounded answers, honest errors."""

import zlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, IncompleteRead
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import orjson
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from agents.knowledge.fetching.addresses import ForbiddenAddress, Target, target_of
from agents.knowledge.fetching.client import FetchFailed, read_body
from posts.publishing.networks.connections import Connections
from posts.publishing.networks.errors import (
    NeedsReconnect,
    NetworkError,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
)
from posts.publishing.tokens import HIDDEN

MAX_ANSWER_BYTES = 1_000_000
LONGEST_BLOCK = timedelta(days=1)
ABOUT_THE_TRANSFER = ("content-encoding", "content-length", "transfer-encoding")


@cache
def connections() -> Connections:
    """Return the process's open connections."""
    return Connections()


def call(method: str, url: str, *, publishes: bool = False, **options: Any) -> httpx2.Response:
    """Send one request and return its successful answer, read in full.

    `publishes` marks the one request after which a lost answer is an unknown outcome; every other one can be
    repeated. Raises what `networks.errors` names. Redirects are never followed.
    """
    lost = OutcomeUnknown if publishes else NotSent
    timeout = settings.OUTBOUND_TIMEOUT_SECONDS
    try:
        request = httpx2.Request(method, url, **options)
        target = target_of(str(request.url))
        connection = connections().open(target, timeout=timeout)
    except (OSError, ValueError, ForbiddenAddress, httpx2.InvalidURL) as error:
        raise NotSent(f"No connection: {error}") from error
    try:
        _write_head(connection, target, request)
    except (ValueError, HTTPException) as error:
        connection.close()
        raise NotSent(f"This cannot be written in a header: {type(error).__name__}") from error
    try:
        with connections().bounded(connection, seconds=2 * timeout):
            answer = _ask(connection, target, request.read())
    except (OSError, HTTPException, ValueError, zlib.error, FetchFailed) as error:
        connection.close()
        raise lost(f"The answer was lost: {type(error).__name__}") from error
    if connection.sock is not None:
        connections().keep(target, connection)
    raise_for(answer, lost=lost, sent=request)
    return answer


def _write_head(connection: HTTPConnection, target: Target, request: httpx2.Request) -> None:
    """Prepare what comes before the body; nothing is sent yet."""
    connection.putrequest(request.method, target.path, skip_host=True, skip_accept_encoding=True)
    own = {"User-Agent": settings.OUTBOUND_USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip"}
    for name, value in (*request.headers.multi_items(), *own.items()):
        connection.putheader(name, value)


def _ask(connection: HTTPConnection, target: Target, body: bytes) -> httpx2.Response:
    connection.endheaders(body or None)
    response = connection.getresponse()
    headers = httpx2.Headers(response.getheaders())
    has_end = response.chunked or response.length is not None
    content = read_body(response, headers, MAX_ANSWER_BYTES)
    if not has_end and not content:
        # `http.client` takes a connection that ends amid the headers for the end of the headers.
        raise IncompleteRead(content)
    # The body is unpacked: what described its transfer says nothing about it.
    headers = httpx2.Headers([(k, v) for k, v in headers.multi_items() if k not in ABOUT_THE_TRANSFER])
    return httpx2.Response(response.status, headers=headers, content=content)


def raise_for(answer: httpx2.Response, *, lost: type[NetworkError], sent: httpx2.Request) -> None:
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
    raise Refused(f"The network refused it ({status}): {without_credentials(words, sent)}", code=code)


def without_credentials(words: str, request: httpx2.Request) -> str:
    """Blot out what a network repeats of the credentials that it was sent: its words are stored and shown."""
    sent = request.headers.get("authorization", "").split()[1:]
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        sent += [value for _, value in parse_qsl(request.content.decode())]
    elif (body := request.content)[:1] == b"{":
        sent += [value for name, value in orjson.loads(body).items() if name == "password"]
    for credential in sent:
        if len(credential) >= 8:
            words = words.replace(credential, HIDDEN)
    return words


def describe(answer: httpx2.Response) -> tuple[int | str | None, str]:
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


def reset_moment(headers: httpx2.Headers) -> datetime:
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
