"""Connections to outside networks are kept, checked before they are used again, and ended when they are overdue."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from posts.publishing.networks import http
from posts.publishing.networks.errors import NotSent, OutcomeUnknown

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Peer:
    """A server that deals with each connection as it is told to, and counts them."""

    def __init__(self, deal: Callable[[socket.socket], None]) -> None:
        self.deal = deal
        self.connection_count = 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                self.connection_count += 1
                threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self.deal(connection)


@pytest.fixture
def peer(settings: Settings) -> Iterator[Callable[[Callable[[socket.socket], None]], Peer]]:
    settings.FETCH_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.OUTBOUND_TIMEOUT_SECONDS = 0.3
    peers: list[Peer] = []

    def make(deal: Callable[[socket.socket], None]) -> Peer:
        peers.append(Peer(deal))
        return peers[-1]

    yield make
    http.connections().close()
    for one in peers:
        one.listening.close()


def answer_always(connection: socket.socket) -> None:
    while connection.recv(65_536):
        connection.sendall(ANSWER)


def answer_once(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(ANSWER)


def drip(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X")
        time.sleep(0.05)


def test_a_connection_serves_many_requests(peer: Any) -> None:
    server = peer(answer_always)
    for _ in range(3):
        http.call("GET", server.url)
    assert server.connection_count == 1


def test_many_threads_never_share_a_connection_at_one_moment(peer: Any) -> None:
    busy = threading.Barrier(4)

    def answer_when_all_ask(connection: socket.socket) -> None:
        connection.recv(65_536)
        busy.wait(5)
        connection.sendall(ANSWER)

    server = peer(answer_when_all_ask)
    threads = [threading.Thread(target=http.call, args=("GET", server.url)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.connection_count == 4


def test_a_connection_that_the_other_side_has_closed_is_not_used_again(peer: Any) -> None:
    server = peer(answer_once)
    for _ in range(3):
        # A publication whose connection turned out to be dead would be an unknown outcome for nothing.
        http.call("POST", server.url, publishes=True)
        time.sleep(0.02)
    assert server.connection_count == 3


def test_a_header_that_never_ends_is_ended_from_outside(peer: Any) -> None:
    server = peer(drip)
    with pytest.raises(OutcomeUnknown):
        http.call("POST", server.url, publishes=True)
    with pytest.raises(NotSent):
        http.call("GET", server.url)


def test_an_answer_that_ends_amid_its_headers_is_lost(peer: Any) -> None:
    def stop_short(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(ANSWER[:30])

    with pytest.raises(OutcomeUnknown):
        http.call("POST", peer(stop_short).url, publishes=True)


def test_a_header_that_cannot_be_written_was_certainly_not_sent(peer: Any) -> None:
    server = peer(answer_always)
    with pytest.raises(NotSent):
        http.call("POST", server.url, publishes=True, headers={"Idempotency-Key": "two\r\nLines: of it"})
