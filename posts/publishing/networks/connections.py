"""Connections to outside networks: to global addresses only, kept open, ended when they take too long."""

import http.client
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agents.knowledge.fetching.addresses import Target, system_resolve
from agents.knowledge.fetching.client import open_socket, shut

KEPT_SECONDS = 5
# Of all networks together: whoever publishes to a thousand instances does not keep a thousand sockets.
KEPT_COUNT = 100
WATCH_SECONDS = 0.25


@dataclass(slots=True)
class Kept:
    """A connection that waits for its next request."""

    origin: str
    connection: http.client.HTTPConnection
    until: float


class Connections:
    """The open connections of a process, for use from many threads.

    On `http.client`, because a pool of httpx looks at every connection it has before each request: with fifty of
    them that costs more than the request.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Kept] = []
        self._watchdog = Watchdog()

    def open(self, target: Target, *, timeout: float) -> http.client.HTTPConnection:
        """Return a connection, kept from earlier or new; each of its steps may take `timeout` seconds.

        Raises `ForbiddenAddress` for an address that is not global, else `OSError`.
        """
        while kept := self._take(target.origin):
            if not _is_stale(kept.sock):
                kept.sock.settimeout(timeout)
                return kept
            kept.close()
        return _connect(target, timeout)

    def keep(self, target: Target, connection: http.client.HTTPConnection) -> None:
        """Put a connection back whose last answer was read to its end."""
        with self._lock:
            self._kept.append(Kept(target.origin, connection, time.monotonic() + KEPT_SECONDS))
            surplus, self._kept = self._kept[:-KEPT_COUNT], self._kept[-KEPT_COUNT:]
        for one in surplus:
            one.connection.close()

    def _take(self, origin: str) -> http.client.HTTPConnection | None:
        now = time.monotonic()
        with self._lock:
            expired = [one for one in self._kept if one.until < now]
            self._kept = [one for one in self._kept if one.until >= now]
            # The newest: it is the least likely to have been closed by the other side.
            found = next((one for one in reversed(self._kept) if one.origin == origin), None)
            if found:
                self._kept.remove(found)
        for one in expired:
            one.connection.close()
        return found.connection if found else None

    @contextmanager
    def bounded(self, connection: http.client.HTTPConnection, *, seconds: float) -> Iterator[None]:
        """End whatever goes on in the block after so many seconds. Raises `TimeoutError` when it took longer."""
        sock, end = connection.sock, time.monotonic() + seconds
        self._watchdog.watch(sock, end)
        try:
            yield
        finally:
            self._watchdog.forget(sock)
        if time.monotonic() > end:
            raise TimeoutError

    def close(self) -> None:
        """Close what is kept."""
        with self._lock:
            kept, self._kept = self._kept, []
        for one in kept:
            one.connection.close()


class Watchdog:
    """One thread that ends what is overdue: a peer that drips keeps every single read within its time limit."""

    def __init__(self) -> None:
        self._ends: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        self._is_awake = False

    def watch(self, sock: socket.socket, end: float) -> None:
        with self._lock:
            self._ends[sock] = end
            if not self._is_awake:
                self._is_awake = True
                threading.Thread(target=self._run, daemon=True, name="watchdog").start()

    def forget(self, sock: socket.socket) -> None:
        with self._lock:
            self._ends.pop(sock, None)

    def _run(self) -> None:
        while True:
            time.sleep(WATCH_SECONDS)
            with self._lock:
                now = time.monotonic()
                for sock in [sock for sock, end in self._ends.items() if end < now]:
                    del self._ends[sock]
                    shut(sock)
                if not self._ends:
                    self._is_awake = False
                    return


def _connect(target: Target, timeout: float) -> http.client.HTTPConnection:
    sock = open_socket(target, time.monotonic() + timeout, system_resolve, socket.create_connection)
    try:
        # Head and body are two packets, and the second must not wait for the first one's receipt.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(timeout)
        if target.scheme == "https":
            sock.do_handshake()  # type: ignore[attr-defined]
    except OSError:
        sock.close()
        raise
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = sock
    # Never by itself: it would resolve the name again.
    connection.auto_open = 0
    return connection


def _is_stale(sock: socket.socket) -> bool:
    """Whether the other side has closed a connection, or sent what nobody asked for."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
