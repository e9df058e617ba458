import logging
import secrets
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import orjson
from django.conf import settings

from performance.caches.invalidation import EVERYTHING, add_versions, invalidate_now, settle, tag_key
from performance.caches.statistics import record
from performance.caches.store import Store
from performance.caches.valkey import UNREACHABLE, ask, key

logger = logging.getLogger(__name__)

# Seconds.
LIFETIMES = {
    "agent_context": 3600,
    "strategy": 900,
    "config": 600,
    "posts": 600,
    "profile": 300,
    "agent_ids": 300,
    "sessions": 300,
    "analytics": 300,
    "agent": 120,
    "dashboard": 60,
    "feed": 30,
}

# A rebuild that takes longer than this loses its lock to another reader.
LOCK_SECONDS = 10
_UNLOCK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_MISSING: Any = object()
# Kept in place of a value that is too large: readers need not queue to find that out again.
_TOO_LARGE: Any = object()
_TOO_LARGE_ENTRY = b'["too large",null]'
_NO_VALUE = (_MISSING, _TOO_LARGE, UNREACHABLE)
# What orjson would turn into something else on the way (a date into a string) is refused instead.
_STRICT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS


class UnknownCacheError(KeyError):
    def __str__(self) -> str:
        return f"No cache is named {self.args[0]!r}; there are {', '.join(LIFETIMES)}."


class NamedCache:
    """Values of one kind and lifetime. Values are JSON: nothing read from Valkey is ever executed."""

    def __init__(self, name: str, lifetime: int) -> None:
        self.name = name
        self.lifetime = lifetime

    @cached_property
    def store(self) -> Store:
        most_bytes = settings.CACHE_MAX_BYTES // len(LIFETIMES)
        return Store(self.name, most_entries=settings.CACHE_MAX_ENTRIES, most_bytes=most_bytes)

    def get(self, name: str, default: Any = None, *, tags: Sequence[str] = ()) -> Any:
        """Return a value, or `default` when it is absent, expired, invalidated, poisoned or out of reach."""
        found = self._read(name, self._all_tags(tags))
        is_hit = not _is_any(found, _NO_VALUE)
        record(self.name, "hits" if is_hit else "misses")
        return found if is_hit else default

    def set(self, name: str, value: Any, ttl: int | None = None, *, tags: Sequence[str] = ()) -> bool:
        """Keep a value for `ttl` seconds; return whether it is kept: not when too large or out of reach.

        Raises `TypeError` for what is not JSON and `ValueError` for a lifetime under a second. What is read
        from the database first is better kept with `get_or_compute`, which cannot miss an invalidation.
        """
        lifetime, payload = check_lifetime(self.lifetime if ttl is None else ttl), self._encode(value)
        every = self._all_tags(tags)
        versions = ask(lambda client: self._draw(client.pipeline(transaction=False), every))
        return versions is not UNREACHABLE and self._write(name, payload, versions[-1], lifetime)

    def delete(self, name: str) -> bool:
        return self.store.delete(name)

    def clear(self) -> int:
        """Forget everything at once; return how many entries were removed."""
        invalidate_now([f"cache:{self.name}"])
        return self.store.clear()

    def get_or_compute(
        self, name: str, compute: Callable[[], Any], *, ttl: int | None = None, tags: Sequence[str] = ()
    ) -> Any:
        """Return a value, computing it when it is not there; of many readers at once only one computes."""
        lifetime, every = check_lifetime(self.lifetime if ttl is None else ttl), self._all_tags(tags)
        found = self._read(name, every)
        if not _is_any(found, _NO_VALUE):
            record(self.name, "hits")
            return found
        record(self.name, "misses")
        if found is not _MISSING:
            return orjson.loads(self._encode(compute()))
        return self._rebuild(name, compute, lifetime, every)

    def _rebuild(self, name: str, compute: Callable[[], Any], lifetime: int, tags: list[str]) -> Any:
        token, pause, give_up = secrets.token_hex(8), 0.005, time.monotonic() + LOCK_SECONDS
        while time.monotonic() < give_up:
            claim = ask(lambda client: self._claim(client, name, tags, token))
            if claim is UNREACHABLE:
                break
            has_lock, versions, found = claim
            try:
                if not _is_any(found, _NO_VALUE):
                    return found
                if has_lock and found is _MISSING:
                    return self._compute(name, compute, versions, lifetime)
            finally:
                if has_lock:
                    ask(lambda client: client.eval(_UNLOCK, 1, self._lock_key(name), token))
            if found is _TOO_LARGE:
                break
            time.sleep(pause)
            pause = min(pause * 2, 0.05)
        return orjson.loads(self._encode(compute()))

    def _compute(self, name: str, compute: Callable[[], Any], versions: list[str | None], lifetime: int) -> Any:
        payload = self._encode(compute())
        self._write(name, payload, versions, lifetime)
        record(self.name, "rebuilds")
        # A miss answers with what a hit would: tuples are lists.
        return orjson.loads(payload)

    def _claim(self, client: Any, name: str, tags: list[str], token: str) -> tuple[bool, list[str | None], Any]:
        # The versions are read before the value is computed: an invalidation during the computation then
        # leaves an entry that was never valid.
        pipeline = client.pipeline(transaction=False)
        pipeline.set(self._lock_key(name), token, nx=True, px=LOCK_SECONDS * 1000)
        pipeline.mget([self.store.entry(name)])
        has_lock, (payload,), *_, versions = self._draw(pipeline, tags)
        return bool(has_lock), versions, self._valid(payload, versions)

    @staticmethod
    def _draw(pipeline: Any, tags: list[str]) -> list[Any]:
        settle()
        add_versions(pipeline, tags)
        pipeline.mget([tag_key(tag) for tag in tags])
        answers: list[Any] = pipeline.execute()
        answers[-1] = [version and version.decode("ascii", "replace") for version in answers[-1]]
        return answers

    def _read(self, name: str, tags: list[str]) -> Any:
        settle()
        keys = [self.store.entry(name), *(tag_key(tag) for tag in tags)]
        answers = ask(lambda client: client.mget(keys))
        if answers is UNREACHABLE:
            return UNREACHABLE
        versions = [version and version.decode("ascii", "replace") for version in answers[1:]]
        return self._valid(answers[0], versions)

    def _valid(self, payload: bytes | None, versions: list[str | None]) -> Any:
        if payload is None or None in versions:
            return _MISSING
        if payload == _TOO_LARGE_ENTRY:
            return _TOO_LARGE
        try:
            kept_versions, value = orjson.loads(payload)
        except (orjson.JSONDecodeError, TypeError, ValueError):
            record(self.name, "poisoned")
            logger.warning("An entry of the cache %s was not readable and counts as a miss", self.name)
            return _MISSING
        return value if kept_versions == versions else _MISSING

    def _write(self, name: str, payload: bytes, versions: list[str | None], lifetime: int) -> bool:
        if len(payload) > settings.CACHE_MAX_ENTRY_BYTES:
            record(self.name, "oversized")
            logger.warning("A value of %d bytes is too large for the cache %s", len(payload), self.name)
            self.store.put(name, _TOO_LARGE_ENTRY, lifetime_ms=min(lifetime, 60) * 1000)
            return False
        entry = b"[%b,%b]" % (orjson.dumps(versions), payload)
        evicted = self.store.put(name, entry, lifetime_ms=lifetime * 1000)
        if evicted:
            record(self.name, "evictions", evicted)
        return True

    def _encode(self, value: Any) -> bytes:
        try:
            return orjson.dumps(value, option=_STRICT)
        except TypeError as error:
            raise TypeError(f"Only JSON can be kept in the cache {self.name!r}: {error}") from error

    def _lock_key(self, name: str) -> str:
        return key("lock", self.name, name)

    def _all_tags(self, tags: Sequence[str]) -> list[str]:
        return [EVERYTHING, f"cache:{self.name}", *tags]


def check_lifetime(seconds: int) -> int:
    """Return a lifetime; raise `ValueError` for one under a second, which would say "never keep this"."""
    if seconds < 1:
        raise ValueError(f"A lifetime is at least 1 second, not {seconds}; do not cache what must not be kept.")
    return seconds


def _is_any(value: Any, markers: tuple[Any, ...]) -> bool:
    return any(value is marker for marker in markers)


class _Caches(dict[str, NamedCache]):
    def __missing__(self, name: str) -> NamedCache:
        raise UnknownCacheError(name)


caches = _Caches({name: NamedCache(name, lifetime) for name, lifetime in LIFETIMES.items()})
_stores: dict[str, Callable[[], Store]] = {}


def all_stores() -> dict[str, Store]:
    return {name: cache.store for name, cache in caches.items()} | {name: make() for name, make in _stores.items()}


def register_store(name: str, make: Callable[[], Store]) -> None:
    """Let statistics and upkeep speak of a store that is no named cache."""
    _stores[name] = make


def clear_all() -> int:
    """Forget every entry of every cache; return how many were removed."""
    invalidate_now([EVERYTHING])
    return sum(store.clear() for store in all_stores().values())


def remove_expired() -> int:
    """Take expired entries off the books of every cache; return how many there were."""
    return sum(store.remove_expired() for store in all_stores().values())
