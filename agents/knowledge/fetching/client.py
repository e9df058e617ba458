import http.client
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from time import monotonic
from urllib.parse import urljoin

from agents.knowledge.fetching.addresses import (
    ForbiddenAddress,
    Resolve,
    Target,
    checked_addresses,
    may_connect,
    system_resolve,
    target_of,
)

USER_AGENT = "Aviary/0.1 (self-hosted; respects robots.txt)"
MAX_BYTES = 5 * 1024 * 1024
TIMEOUT_SECONDS = 10.0
MAX_REDIRECTS = 5
CHUNK_BYTES = 64 * 1024
REDIRECTS = (301, 302, 303, 307, 308)

type Connect = Callable[[tuple[str, int], float], socket.socket]


class FetchFailed(Exception):
    """The request was not answered usably; the message says why."""


class UnknownOutcome(FetchFailed):
    """The request went out but no answer came back: it may or may not have had its effect."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. `url` is where it came from after redirects; header names are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    max_bytes: int = MAX_BYTES,
    timeout: float = TIMEOUT_SECONDS,
    max_redirects: int = MAX_REDIRECTS,
    resolve: Resolve = system_resolve,
    connect: Connect = socket.create_connection,
) -> Fetched:
    """Request a URL that a stranger named.

    Every address of the host is checked and the checked address is the one connected to, again on each
    redirect; `timeout` seconds and `max_bytes` (unpacked) bound the whole. Only GET follows redirects.
    Raises `ForbiddenAddress`, `FetchFailed`, or `UnknownOutcome` once the request may have arrived.
    """
    deadline = monotonic() + timeout
    origin = ""
    given = dict(headers or {})
    for _ in range(max_redirects + 1 if method == "GET" else 1):
        target = target_of(url)
        # A credential is for the host it was given for, not for the one that host points to.
        given = given if origin in ("", target.origin) else {}
        origin = target.origin
        answer = _request(target, method, given, body, max_bytes, deadline, resolve, connect)
        location = answer.headers.get("location", "")
        if method != "GET" or answer.status not in REDIRECTS or not location:
            return answer
        url = urljoin(url, location)
    raise FetchFailed(f"More than {max_redirects} redirects.")


def _request(
    target: Target,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
    max_bytes: int,
    deadline: float,
    resolve: Resolve,
    connect: Connect,
) -> Fetched:
    was_sent = False
    try:
        with _connection(target, deadline, resolve, connect) as connection:
            was_sent = True
            fields = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Connection": "close", **headers}
            connection.request(method, target.path, body, fields)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            content = b"" if response.status in REDIRECTS else read_body(response, names, max_bytes)
            if monotonic() > deadline:
                raise TimeoutError
            return Fetched(target.url, response.status, names, content)
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        reason = "no answer in time" if monotonic() > deadline else type(error).__name__
        kind = UnknownOutcome if was_sent and method != "GET" else FetchFailed
        raise kind(f"{target.host} gave no usable answer: {reason}.") from error


@contextmanager
def _connection(
    target: Target, deadline: float, resolve: Resolve, connect: Connect
) -> Iterator[http.client.HTTPConnection]:
    sock = open_socket(target, deadline, resolve, connect)
    # A peer that sends one byte per second keeps every read within its time limit: only closing the
    # socket from outside ends the whole in time.
    watchdog = threading.Timer(max(deadline - monotonic(), 0), shut, [sock])
    watchdog.daemon = True
    watchdog.start()
    try:
        if target.scheme == "https":
            sock.do_handshake()  # type: ignore[attr-defined]
        kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
        connection = kind(target.host, target.port)
        connection.sock = sock
        # Never by itself: it would resolve the name again.
        connection.auto_open = 0
        yield connection
    finally:
        watchdog.cancel()
        sock.close()


def open_socket(target: Target, deadline: float, resolve: Resolve, connect: Connect) -> socket.socket:
    addresses = checked_addresses(target, resolve=resolve, timeout=max(deadline - monotonic(), 0.01))
    problem: OSError = TimeoutError()
    for address in addresses[:4]:
        if (left := deadline - monotonic()) <= 0:
            break
        try:
            sock = connect((address, target.port), left)
        except OSError as error:
            problem = error
            continue
        if not may_connect(sock.getpeername()[0]):
            sock.close()
            raise ForbiddenAddress("The host is not on the public internet.")
        sock.settimeout(left)
        if target.scheme == "https":
            return _tls().wrap_socket(sock, server_hostname=target.host, do_handshake_on_connect=False)
        return sock
    raise problem


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        sock.close()


def read_body(response: http.client.HTTPResponse, headers: Mapping[str, str], max_bytes: int) -> bytes:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        unpack = None
    elif encoding in ("gzip", "x-gzip", "deflate"):
        # 32 more than the window size: gzip and zlib headers are told apart by themselves.
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    else:
        raise FetchFailed("The answer is packed in a way that was not asked for.")
    body = bytearray()
    received = 0
    while chunk := response.read1(CHUNK_BYTES):
        received += len(chunk)
        # One byte more than allowed is enough to know: what would come after is never unpacked.
        body += unpack.decompress(chunk, max_bytes - len(body) + 1) if unpack else chunk
        if len(body) > max_bytes or received > max_bytes:
            raise FetchFailed(f"The answer is larger than {max_bytes} bytes.")
    if response.length or (unpack and not unpack.eof):
        raise http.client.IncompleteRead(b"")
    return bytes(body)
