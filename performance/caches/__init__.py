"""The named caches: one API over Valkey, safe to lose at any moment.

Invariants: an entry is valid only while every tag it was computed under has not been invalidated; a cache that
cannot be reached answers nothing and stops nothing; no lock, limit or idempotency key lives here.
"""

from performance.caches.announcements import announce
from performance.caches.decorator import cached
from performance.caches.invalidation import (
    invalidate,
    invalidate_agent_cache,
    invalidate_all_analytics,
    invalidate_now,
    invalidate_user_cache,
    shown,
    withdraw,
)
from performance.caches.named import LIFETIMES, NamedCache, UnknownCacheError, caches, clear_all, remove_expired
from performance.caches.statistics import cache_statistics

__all__ = [
    "LIFETIMES",
    "NamedCache",
    "UnknownCacheError",
    "announce",
    "cache_statistics",
    "cached",
    "caches",
    "clear_all",
    "invalidate",
    "invalidate_agent_cache",
    "invalidate_all_analytics",
    "invalidate_now",
    "invalidate_user_cache",
    "remove_expired",
    "shown",
    "withdraw",
]
