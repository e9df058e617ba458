import threading
import time
from collections.abc import Callable

from posts.generation.providers.base import ProviderError

FAILURES = 5
OPEN_SECONDS = 30.0


class Breaker:
    """Stops calling a provider that does not answer: after five failures in a row, one try every 30 seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    def check(self) -> None:
        """Raise a `ProviderError` that says when to come back while the breaker is open."""
        with self._lock:
            left = self._open_until - self._clock()
            if self._failures >= FAILURES:
                if left > 0:
                    raise ProviderError("The provider does not answer.", is_retryable=True, retry_after=left)
                # This caller tries; the others wait for what comes of it.
                self._open_until = self._clock() + OPEN_SECONDS

    def record(self, *, is_success: bool) -> None:
        with self._lock:
            self._failures = 0 if is_success else self._failures + 1
            if self._failures >= FAILURES:
                self._open_until = self._clock() + OPEN_SECONDS
