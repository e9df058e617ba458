import logging
import os
import queue
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from posts.generation import providers
from posts.generation.engine import advancing, ledger
from posts.generation.engine.calls import perform, refuse_connections
from posts.generation.engine.flights import Answer, Call, Flight
from posts.generation.engine.ledger import LostLease
from posts.generation.models import Run

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.2
# A connection that nothing was written on for so long is given back. A new one costs 30 ms, most of it planning anew.
IDLE_SECONDS = 3.0
DATABASE_RETRY_SECONDS = 0.25


def give_back_connection() -> None:
    """Close this thread's connection or return it to its pool, unless the caller has a transaction open."""
    if not connection.in_atomic_block:
        connection.close()


class Dispatcher:
    """Carries many runs on one thread and one database connection; providers are awaited on other threads.

    All own work happens on the thread that calls `run_until_settled` or `run_forever`, so that a process
    with hundreds of runs in flight needs one connection, and none while all of them wait.
    """

    def __init__(self, *, slots: int | None = None, on_change: Callable[[Flight], None] | None = None) -> None:
        self.slots = slots or settings.MAX_CONCURRENT_PIPELINES
        self.worker = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(6)}"
        self._on_change = on_change or (lambda flight: None)
        self._inbox: queue.SimpleQueue[Answer | int | None] = queue.SimpleQueue()
        self._flights: dict[int, Flight] = {}
        self._unsettled: set[int] = set()
        self._wanted: set[int] = set()
        # What `run_until_settled` waits for and what has not got its post in these hands.
        self._awaited: set[int] = set()
        self._has_new_room = False
        self._pool = ThreadPoolExecutor(self.slots, "provider", initializer=refuse_connections)
        self._next_heartbeat = 0.0
        self._is_stopping = threading.Event()
        # A misspelt setting shows now and not in the middle of a run.
        providers.text_provider(), providers.image_provider()

    def poke(self, run_id: int | None = None) -> None:
        """Ask for a run to be taken, or for a look at what is due. Safe from any thread."""
        self._inbox.put(run_id)

    def stop(self) -> None:
        """End `run_forever` after the turn that is going on. Safe from any thread."""
        self._is_stopping.set()
        self._inbox.put(None)

    def run_forever(self) -> None:
        """Carry whatever is due until `stop` is called; what is unfinished then is left to other workers."""
        try:
            while not self._is_stopping.is_set():
                self._turn(is_sweeping=True)
        finally:
            self.close()

    def take(self, run_ids: list[int]) -> None:
        """Claim these runs now, in the transaction of the caller when there is one."""
        self._claim(run_ids)

    def run_until_settled(self, run_ids: list[int]) -> None:
        """Carry these runs and no others until each is finished, failed, in review or out of our hands."""
        self._wanted.update(set(run_ids) - self._flights.keys())
        self._awaited = set(run_ids)
        while True:
            while self._wanted or self._flights:
                self._turn(is_sweeping=False)
            if not self._awaited:
                return
            paused = Run.objects.filter(pk__in=run_ids, state=Run.State.QUEUED)
            if not paused.exists():
                return
            self._wanted.update(paused.claimable().values_list("pk", flat=True))
            if not self._wanted:
                time.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """Let go of everything: leases are left to run out, threads end with their calls."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        give_back_connection()

    def _turn(self, *, is_sweeping: bool) -> None:
        """Wait for the next event and do all that it makes possible."""
        self._receive()
        try:
            is_due = time.monotonic() >= self._next_heartbeat
            if is_due:
                self._beat()
            if is_sweeping and (is_due or self._has_new_room):
                self._claim(None)
            self._has_new_room = False
            if self._wanted:
                self._claim(sorted(self._wanted))
            for run_id in sorted(self._unsettled):
                self._advance(self._flights[run_id])
        except (OperationalError, InterfaceError) as error:
            # The database is away. Everything that came back is kept and written when it is here again.
            logger.warning("The database is away: %s", error)
            give_back_connection()
            time.sleep(DATABASE_RETRY_SECONDS)

    def _receive(self) -> None:
        event = self._next_event()
        while event is not None:
            if isinstance(event, Answer):
                self._take(event)
            else:
                self._wanted.add(event)
            try:
                event = self._inbox.get_nowait()
            except queue.Empty:
                return

    def _next_event(self) -> Answer | int | None:
        until = self._next_heartbeat
        if self._wanted or self._unsettled or self._has_new_room:
            until = min([self._flights[run_id].not_before for run_id in self._unsettled], default=0.0)
        patience = max(until - time.monotonic(), 0.0)
        try:
            return self._inbox.get(timeout=min(patience, IDLE_SECONDS))
        except queue.Empty:
            if patience <= IDLE_SECONDS:
                return None
        give_back_connection()
        try:
            return self._inbox.get(timeout=max(until - time.monotonic(), 0.0))
        except queue.Empty:
            return None

    def _take(self, answer: Answer) -> None:
        flight = answer.flight
        if self._flights.get(flight.run.pk) is flight:
            advancing.receive(answer)
            self._unsettled.add(flight.run.pk)

    def _beat(self) -> None:
        if self._flights:
            ledger.renew(worker=self.worker, run_ids=self._flights.keys())
        self._next_heartbeat = time.monotonic() + settings.RUN_LEASE_SECONDS / 3 * random.uniform(0.8, 1.0)

    def _claim(self, run_ids: list[int] | None) -> None:
        room = self.slots - len(self._flights)
        if room > 0:
            for run in ledger.claim(worker=self.worker, limit=room, run_ids=run_ids):
                self._flights[run.pk] = Flight.of(run)
                self._unsettled.add(run.pk)
        # Runs that are not free, or that no slot is free for, come back through the sweep.
        self._wanted.clear()

    def _advance(self, flight: Flight) -> None:
        try:
            calls = advancing.advance(flight)
        except LostLease:
            logger.info("Run %s is not ours any more.", flight.run.pk)
            flight.is_over = True
            calls = []
        for call in calls:
            self._pool.submit(self._perform, flight, call)
        if time.monotonic() >= flight.not_before:
            self._unsettled.discard(flight.run.pk)
        if flight.is_over:
            self._flights.pop(flight.run.pk, None)
            self._unsettled.discard(flight.run.pk)
            self._has_new_room = True
            if flight.run.state == Run.State.DONE:
                self._awaited.discard(flight.run.pk)
        self._on_change(flight)

    def _perform(self, flight: Flight, call: Call) -> None:
        self._inbox.put(perform(flight, call))
