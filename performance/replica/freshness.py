"""How old what the replica shows can be, found out beside the requests and without comparing clocks."""

import logging
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections

from performance.replica.router import REPLICA

logger = logging.getLogger(__name__)

CHECK_SECONDS = 0.5
# A replica that takes longer than this to say where it is counts as gone.
ANSWER_SECONDS = 1.0
# A process that reads nothing for so long stops asking.
IDLE_SECONDS = 60.0

WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
# A server that left recovery is nobody's replica.
REPLAYED = b"SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') WHERE pg_is_in_recovery()"


class Freshness:
    """Compares how far the primary had written at known moments with how far the replica has replayed.

    What the primary had written at a moment and the replica has replayed by now was on the replica since: its
    age is at most the time from that moment to now. A thread of its own looks, while there is somebody to read.
    """

    def __init__(self) -> None:
        self._start_afresh()
        # Threads do not survive a fork.
        os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked_at = 0.0
        self._written: deque[tuple[float, int]] = deque(maxlen=1000)
        self._current_at: float | None = None
        self._readers: dict[int, Any] = {}

    def is_fresh(self) -> bool:
        """Tell whether the replica has all that was written `REPLICA_MAX_LAG_SECONDS` ago."""
        self._asked_at = time.monotonic()
        if self._thread is None:
            self._start()
        current_at = self._current_at
        return current_at is not None and time.monotonic() - current_at <= settings.REPLICA_MAX_LAG_SECONDS

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Have the calling thread's connection cut when the replica hangs, so that its read can go elsewhere."""
        me = threading.get_ident()
        with self._lock:
            self._readers[me] = connections[REPLICA]
        try:
            yield
        finally:
            with self._lock:
                del self._readers[me]

    def doubt(self, error: Exception) -> None:
        """Leave the replica out after a failed read until the next look at it."""
        was_current, self._current_at = self._current_at is not None, None
        if was_current:
            logger.warning("replica_failed, reading from the primary: %s", type(error).__name__)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look_while_asked, name="replica-freshness", daemon=True)
                self._thread.start()

    def _look_while_asked(self) -> None:
        while time.monotonic() - self._asked_at < IDLE_SECONDS:
            self.look()
            time.sleep(CHECK_SECONDS)
        with self._lock:
            self._thread = self._current_at = None
        connections.close_all()

    def look(self) -> None:
        """Look at both servers once."""
        try:
            with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
                now = time.monotonic()
                cursor.execute(WRITTEN)
                self._written.append((now, int(cursor.fetchone()[0])))
        except (DatabaseError, InterfaceError):
            # It grows old by itself when the primary cannot be asked.
            connections[DEFAULT_DB_ALIAS].close()
            return
        try:
            connections[REPLICA].ensure_connection()
            replayed = _ask(connections[REPLICA].connection, REPLAYED)
        except (DatabaseError, InterfaceError, psycopg.Error, OSError) as error:
            connections[REPLICA].close()
            self.doubt(error)
            self._cut_readers()
            return
        while self._written and replayed is not None and self._written[0][1] <= replayed:
            self._current_at = self._written.popleft()[0]

    def _cut_readers(self) -> None:
        with self._lock:
            for wrapper in self._readers.values():
                with suppress(psycopg.Error, OSError, AttributeError), _same_socket(wrapper.connection) as connected:
                    connected.shutdown(socket.SHUT_RDWR)


def _same_socket(connection: Any) -> socket.socket:
    return socket.socket(fileno=os.dup(connection.pgconn.socket))


def _ask(connection: Any, query: bytes) -> int | None:
    """Return the one number of the answer, or None without one; a server that hangs is a `TimeoutError`."""
    pgconn, give_up = connection.pgconn, time.monotonic() + ANSWER_SECONDS
    pgconn.send_query(query)
    pgconn.flush()
    ready = select.poll()
    ready.register(pgconn.socket, select.POLLIN)
    while pgconn.is_busy():
        if not ready.poll(max(give_up - time.monotonic(), 0) * 1000):
            raise TimeoutError
        pgconn.consume_input()
    results = list(iter(pgconn.get_result, None))
    value = results[0].get_value(0, 0) if results and results[0].ntuples else None
    return None if value is None else int(value)


freshness = Freshness()


def databases() -> Iterator[str]:
    """Name the databases that answer, for what looks at each; a replica that hangs meanwhile is cut off."""
    yield DEFAULT_DB_ALIAS
    if REPLICA in connections.settings and freshness.is_fresh():
        with freshness.reading():
            yield REPLICA
