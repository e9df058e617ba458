import threading
import time
from collections.abc import Callable, Sequence

from posts.generation.providers.base import ProviderError

REFUSED_SECONDS = 3600.0


class Keys:
    """Hands out API keys in turn; one that was refused or is over its rate rests."""

    def __init__(self, keys: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._keys = list(keys)
        self._rested_at = dict.fromkeys(self._keys, 0.0)

    def __len__(self) -> int:
        return len(self._keys)

    def take(self) -> str:
        """Return the next key that does not rest. Raises `ProviderError` when all of them do."""
        with self._lock:
            now = self._clock()
            for _ in self._keys:
                key = self._keys.pop(0)
                self._keys.append(key)
                if self._rested_at[key] <= now:
                    return key
            pause = min(self._rested_at.values(), default=now) - now
        raise ProviderError("Every API key is at its limit.", is_retryable=bool(self._keys), retry_after=pause)

    def rest(self, key: str, *, seconds: float) -> None:
        with self._lock:
            self._rested_at[key] = self._clock() + seconds
