"""Servers on the loopback address that lie, stall, and never end."""

import gzip
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from agents.knowledge.fetching import FetchFailed, ForbiddenAddress, UnknownOutcome, fetch

MEGABYTE = 1024 * 1024
type Serve = Callable[[Callable[[socket.socket, bytes], None]], str]


@pytest.fixture
def serve(settings: Settings) -> Iterator[Serve]:
    """Start a server that hands each connection and its request to a function; return its address."""
    settings.FETCH_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(answer: Callable[[socket.socket, bytes], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        answer(connection, connection.recv(65536))
                    except OSError:
                        continue

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(5)


def answer_of(body: bytes, *fields: str, status: str = "200 OK") -> Callable[[socket.socket, bytes], None]:
    head = "\r\n".join((f"HTTP/1.1 {status}", *fields, "", "")).encode()
    return lambda connection, _: connection.sendall(head + body)


def test_a_packed_page_is_unpacked(serve: Serve) -> None:
    body = gzip.compress(b"Wrens sing.")
    url = serve(answer_of(body, "Content-Encoding: gzip", f"Content-Length: {len(body)}", "ETag: x"))
    fetched = fetch(url)
    assert (fetched.status, fetched.body, fetched.headers["etag"]) == (200, b"Wrens sing.", "x")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_never_unpacked_beyond_the_limit(serve: Serve, encoding: str) -> None:
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    bomb = b"".join(packer.compress(bytes(MEGABYTE)) for _ in range(200)) + packer.flush()
    url = serve(answer_of(bomb, f"Content-Encoding: {encoding}"))
    tracemalloc.start()
    try:
        with pytest.raises(FetchFailed, match="larger than"):
            fetch(url, max_bytes=MEGABYTE)
        assert tracemalloc.get_traced_memory()[1] < 8 * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
def test_a_packing_that_was_not_asked_for_is_refused(serve: Serve, encoding: str) -> None:
    with pytest.raises(FetchFailed, match="packed"):
        fetch(serve(answer_of(b"xx", f"Content-Encoding: {encoding}")))


def test_an_endless_answer_is_cut_off(serve: Serve) -> None:
    def endless(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")

    with pytest.raises(FetchFailed, match="larger than"):
        fetch(serve(endless), max_bytes=MEGABYTE)


@pytest.mark.parametrize("part", [b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b""])
def test_a_server_that_drips_is_left_when_the_time_is_over(serve: Serve, part: bytes) -> None:
    def drip(connection: socket.socket, request: bytes) -> None:
        connection.sendall(part)
        for _ in range(200):
            connection.sendall(b"a")
            time.sleep(0.02)

    started = time.monotonic()
    with pytest.raises(FetchFailed, match="no answer in time"):
        fetch(serve(drip), timeout=0.4)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"cut" * 999, mtime=0)[:-9],
        b"HTTP/9.9 abc\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
)
def test_an_answer_that_is_not_http_fails_in_one_sentence(serve: Serve, head: bytes) -> None:
    with pytest.raises(FetchFailed):
        fetch(serve(lambda connection, _: connection.sendall(head)))


@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "http://[::1]/", "http://2130706433/"]
)
def test_a_redirect_to_where_nobody_may_go_is_refused(serve: Serve, location: str) -> None:
    with pytest.raises(ForbiddenAddress):
        fetch(serve(answer_of(b"", f"Location: {location}", status="302 Found")))


def test_a_page_that_redirects_to_itself_ends(serve: Serve) -> None:
    with pytest.raises(FetchFailed, match="More than 5 redirects"):
        fetch(serve(answer_of(b"", "Location: /", "Content-Length: 0", status="302 Found")))


def test_a_credential_does_not_follow_a_redirect_to_another_host(serve: Serve) -> None:
    seen: list[bytes] = []

    def remember(connection: socket.socket, request: bytes) -> None:
        seen.append(request)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    elsewhere = serve(remember)
    fetch(serve(answer_of(b"", f"Location: {elsewhere}/", status="302 Found")), headers={"Authorization": "canary"})
    assert b"canary" not in seen[0]


def test_a_post_follows_no_redirect(serve: Serve) -> None:
    url = serve(answer_of(b"", "Location: /else", "Content-Length: 0", status="307 Temporary Redirect"))
    assert fetch(url, method="POST", body=b"{}").status == 307


def test_a_post_without_an_answer_has_an_unknown_outcome(serve: Serve) -> None:
    with pytest.raises(UnknownOutcome):
        fetch(serve(lambda connection, _: None), method="POST", body=b"{}")


def test_a_post_that_never_went_out_has_failed(settings: Settings) -> None:
    settings.FETCH_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(FetchFailed) as failure:
        fetch(f"http://127.0.0.1:{port}/", method="POST", body=b"{}")
    assert not isinstance(failure.value, UnknownOutcome)
