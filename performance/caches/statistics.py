"""Hits and misses, counted in each process and summed in Valkey every second."""

import atexit
import threading
from collections import Counter
from typing import Any

from performance.caches.valkey import UNREACHABLE, ask, key

FLUSH_SECONDS = 1.0
EVENTS = ("hits", "misses", "rebuilds", "evictions", "oversized", "poisoned")

_counts: Counter[str] = Counter()
_lock = threading.Lock()
_flush_is_due = False


def record(cache: str, event: str, count: int = 1) -> None:
    """Count an event of a cache; the sum over all processes is at most a second behind."""
    global _flush_is_due
    with _lock:
        _counts[f"{cache}:{event}"] += count
        if _flush_is_due:
            return
        _flush_is_due = True
    timer = threading.Timer(FLUSH_SECONDS, flush)
    timer.daemon = True
    timer.start()


def flush() -> None:
    """Add this process's counts to the common ones; what cannot be sent is kept."""
    global _flush_is_due
    with _lock:
        _flush_is_due = False
        taken = dict(_counts)
        _counts.clear()
    if not taken:
        return

    def add(client: Any) -> bool:
        pipeline = client.pipeline(transaction=False)
        for field, count in taken.items():
            pipeline.hincrby(key("statistics"), field, count)
        pipeline.execute()
        return True

    if ask(add) is UNREACHABLE:
        with _lock:
            _counts.update(taken)


def forget_unsent() -> None:
    """Drop what this process has counted and not sent yet."""
    with _lock:
        _counts.clear()


atexit.register(flush)


def cache_statistics() -> dict[str, dict[str, Any]]:
    """Return hits, misses, hit rate in percent, entries and bytes of each cache, over all processes."""
    from performance.caches.named import all_stores

    flush()
    found = ask(lambda client: client.hgetall(key("statistics")))
    totals = {} if found is UNREACHABLE else {name.decode(): int(count) for name, count in found.items()}
    return {
        name: _describe({event: totals.get(f"{name}:{event}", 0) for event in EVENTS}, *store.size())
        for name, store in all_stores().items()
    }


def _describe(events: dict[str, int], entries: int, size: int) -> dict[str, Any]:
    asked = events["hits"] + events["misses"]
    rate = round(100 * events["hits"] / asked, 2) if asked else None
    return {**events, "hit_rate": rate, "entries": entries, "bytes": size}
