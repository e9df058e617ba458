"""Takes measurements on the request's path and gets rid of them off it.

`record()` appends to a bounded queue: under a microsecond, no lock, no network. One daemon thread per process
folds the queue into counts per minute and writes them to Valkey every `METRICS_FLUSH_SECONDS`.
"""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.conf import settings

from performance.metrics.batch import Batch
from performance.metrics.store import QUERY

# About ten seconds of a busy process; what comes on top while the thread is starved pushes out the oldest.
QUEUE_LENGTH = 50_000


class Measurement(NamedTuple):
    """One request, function or query. `trace` is the request id that caused it.

    A request brings the names and microseconds of its queries along: one place in the queue, not one for each.
    """

    kind: str
    name: str
    microseconds: int
    trace: str = ""
    statements: int | None = None
    size_bytes: int | None = None
    is_error: bool = False
    queries: Sequence[tuple[str, int]] = ()

    def parts(self) -> Iterator["Measurement"]:
        """Return the measurement and those that it brings along."""
        yield self
        for name, microseconds in self.queries:
            yield Measurement(QUERY, name, microseconds, self.trace)


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
        self._batch = Batch()
        self._slowest: dict[str, Measurement] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def record(self, measurement: Measurement) -> None:
        self._queue.append((int(time.time()) // 60, measurement))
        if self._thread is None:
            self._start()

    def flush(self) -> bool:
        """Write everything measured so far; return whether Valkey took it. What it refused is kept."""
        with self._lock:
            while self._queue:
                minute, measurement = self._queue.popleft()
                for part in measurement.parts():
                    self._batch.add(minute, part)
                    slowest = self._slowest.get(part.kind)
                    if slowest is None or part.microseconds > slowest.microseconds:
                        self._slowest[part.kind] = part
            return self._batch.write()

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
