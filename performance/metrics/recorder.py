"""Takes measurements on the request's path and gets rid of them off it.

`record()` and `finished()` append to bounded queues: under a microsecond, no lock, no network. One daemon thread per
process folds them into counts per minute and writes those to Valkey every `METRICS_FLUSH_SECONDS`.
"""

import atexit
import os
import threading
import time
from collections import deque
from typing import NamedTuple

from django.conf import settings

from performance.metrics.batch import Batch
from performance.metrics.costs import RequestCosts
from performance.metrics.store import ENDPOINT, QUERY

# About ten seconds of a busy process; what comes on top while the thread is starved pushes out the oldest.
QUEUE_LENGTH = 50_000


class Measurement(NamedTuple):
    """One request, function or query. `trace` is the request id that caused it."""

    kind: str
    name: str
    microseconds: int
    trace: str = ""
    statements: int | None = None
    size_bytes: int | None = None
    is_error: bool = False


class Recorder:
    """The measurements of this process."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)
        atexit.register(self.flush)

    def forget(self) -> None:
        """Start afresh, as after a fork."""
        # What was measured before a fork belongs to the parent, and threads do not survive it.
        self._queue: deque[tuple[int, Measurement]] = deque(maxlen=QUEUE_LENGTH)
        self._requests: deque[RequestCosts] = deque(maxlen=QUEUE_LENGTH)
        self._batch = Batch()
        self._slowest: dict[str, Measurement] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def record(self, measurement: Measurement) -> None:
        self._queue.append((int(time.time()) // 60, measurement))
        if self._thread is None:
            self._start()

    def finished(self, costs: RequestCosts) -> None:
        """Record a request with its queries."""
        self._requests.append(costs)
        if self._thread is None:
            self._start()

    def flush(self) -> bool:
        """Write everything measured so far; return whether Valkey took it. What it refused is kept."""
        with self._lock:
            while self._queue:
                self._fold(*self._queue.popleft())
            while self._requests:
                self._fold_request(self._requests.popleft())
            return self._batch.write()

    def _fold(self, minute: int, measurement: Measurement) -> None:
        self._batch.add(minute, measurement)
        self._note(measurement.kind, measurement.name, measurement.microseconds, measurement.trace)

    def _fold_request(self, costs: RequestCosts) -> None:
        minute, trace, endpoint = int(costs.at) // 60, costs.trace, costs.endpoint
        microseconds = costs.nanoseconds // 1000
        tally = self._batch.tally(minute, ENDPOINT, endpoint)
        tally.add(microseconds, trace)
        tally.add_costs(len(costs.asked), costs.size_bytes, costs.is_error)
        self._note(ENDPOINT, endpoint, microseconds, trace)
        for name, microseconds in costs.queries():
            self._batch.tally(minute, QUERY, name).add(microseconds, trace)
            self._note(QUERY, name, microseconds, trace)

    def _note(self, kind: str, name: str, microseconds: int, trace: str) -> None:
        """Remember the slowest of each kind."""
        slowest = self._slowest.get(kind)
        if slowest is None or microseconds > slowest.microseconds:
            self._slowest[kind] = Measurement(kind, name, microseconds, trace)

    def take_slowest(self) -> dict[str, Measurement]:
        """Return the slowest of each kind since the last call."""
        with self._lock:
            slowest, self._slowest = self._slowest, {}
        return slowest

    def _start(self) -> None:
        seconds = settings.METRICS_FLUSH_SECONDS
        with self._lock:
            if self._thread is None and seconds:
                self._thread = threading.Thread(target=self._run, args=(seconds,), name="metrics", daemon=True)
                self._thread.start()

    def _run(self, seconds: float) -> None:
        from performance.metrics import watch

        while True:
            time.sleep(seconds)
            self.flush()
            watch.tick()


recorder = Recorder()
