import logging
import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)

PROBE_INTERVAL_SECONDS = 0.25


class Breaker:
    """Stop asking a service after its first failure until a probe, in a thread of its own, succeeds.

    The first failure is enough: a reader then pays one time-out per process at most, and a false alarm costs a
    quarter of a second without a cache.
    """

    def __init__(self, *, probe: Callable[[], None], errors: tuple[type[Exception], ...]) -> None:
        self.is_open = False
        self.opened_count = 0
        self._probe = probe
        self._errors = errors
        self._on_recovery: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        # Threads do not survive a fork, so neither may the belief that one is probing.
        os.register_at_fork(after_in_child=self._start_afresh)

    def call(self, command: Callable[[], T], *, otherwise: T) -> T:
        if self.is_open:
            return otherwise
        try:
            return command()
        except self._errors as error:
            self.open(error)
            return otherwise

    def open(self, error: Exception) -> None:
        with self._lock:
            if self.is_open:
                return
            self.is_open = True
            self.opened_count += 1
            threading.Thread(target=self._probe_until_well, name="cache-probe", daemon=True).start()
        logger.warning("Cache unreachable, reading without it: %s", type(error).__name__)

    def before_closing(self, action: Callable[[], None]) -> None:
        """Run `action` after every successful probe and before the first call is let through again."""
        self._on_recovery.append(action)

    def _probe_until_well(self) -> None:
        while True:
            time.sleep(PROBE_INTERVAL_SECONDS)
            try:
                self._probe()
                for action in self._on_recovery:
                    action()
            except self._errors:
                continue
            self.is_open = False
            logger.warning("Cache reachable again")
            return

    def reset(self) -> None:
        """Close without asking, as when another Valkey takes the place of the one that failed."""
        self.is_open = False

    def _start_afresh(self) -> None:
        self.is_open = False
        self._lock = threading.Lock()
