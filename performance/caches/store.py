"""Entries bounded in number and bytes, least recently used first out, counted without looking at the keys."""

import logging
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from typing import Any

from performance.caches.valkey import UNREACHABLE, ask, key
from performance.caches.wire import Command, ask_all

logger = logging.getLogger(__name__)

# Beside the entries each store keeps: `used` (key by last use), `expiry` (key by expiry) and `sizes` (bytes by
# key, the sum under the empty key). All of it changes in one script, so that it cannot drift.
_PRELUDE = """
local used, expiry, sizes = KEYS[1], KEYS[2], KEYS[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function forget(entry)
  local size = redis.call('HGET', sizes, entry)
  redis.call('ZREM', used, entry)
  redis.call('ZREM', expiry, entry)
  if size then
    redis.call('HDEL', sizes, entry)
    redis.call('HINCRBY', sizes, '', -size)
  end
end
local function forget_expired(limit)
  local gone = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, limit)
  for _, entry in ipairs(gone) do forget(entry) end
  return #gone
end
"""

_PUT = (
    _PRELUDE
    + """
local entry, payload, lifetime = KEYS[4], ARGV[1], tonumber(ARGV[2])
local most_entries, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
forget(entry)
redis.call('SET', entry, payload, 'PX', lifetime)
redis.call('ZADD', used, now, entry)
redis.call('ZADD', expiry, now + lifetime, entry)
redis.call('HSET', sizes, entry, #payload)
redis.call('HINCRBY', sizes, '', #payload)
forget_expired(100)
local evicted = 0
while redis.call('ZCARD', used) > most_entries or tonumber(redis.call('HGET', sizes, '')) > most_bytes do
  local oldest = redis.call('ZRANGE', used, 0, 0)[1]
  if not oldest then break end
  forget(oldest)
  redis.call('DEL', oldest)
  evicted = evicted + 1
end
return evicted
"""
)
_DELETE = _PRELUDE + "forget(KEYS[4]) return redis.call('DEL', KEYS[4])"
_PURGE = _PRELUDE + "return forget_expired(tonumber(ARGV[1]))"
_CLEAR = (
    _PRELUDE
    + """
local all = redis.call('ZRANGE', used, 0, tonumber(ARGV[1]) - 1)
for _, entry in ipairs(all) do forget(entry) redis.call('UNLINK', entry) end
return #all
"""
)
_BATCH = 500


@dataclass(frozen=True)
class Store:
    """A bounded set of entries in Valkey under one name."""

    name: str
    most_entries: int
    most_bytes: int

    @property
    def _index(self) -> list[str]:
        return [key("store", self.name, part) for part in ("used", "expiry", "sizes")]

    def entry(self, name: str) -> str:
        return key("entry", self.name, name)

    def put(self, name: str, payload: bytes, *, lifetime_ms: int, then: tuple[Command, ...] = ()) -> int:
        """Store an entry and evict what no longer fits; return how many were evicted.

        `then` are commands that are sent along, whether the entry is taken or not.
        """
        limits = [lifetime_ms, self.most_entries, self.most_bytes]
        evicted = self._run(_PUT, [*self._index, self.entry(name)], [payload, *limits], then)
        return 0 if evicted is UNREACHABLE else int(evicted)

    def touch(self, name: str, *, now_ms: int) -> None:
        """Mark an entry as used now, so that others are evicted before it."""
        ask(lambda client: client.zadd(self._index[0], {self.entry(name): now_ms}, xx=True))

    def delete(self, name: str) -> bool:
        return bool(self._run(_DELETE, [*self._index, self.entry(name)], []) == 1)

    def remove_expired(self) -> int:
        """Take expired entries off the books; return how many there were."""
        return self._repeat(_PURGE)

    def clear(self) -> int:
        """Delete every entry, a batch at a time; return how many there were."""
        return self._repeat(_CLEAR)

    def size(self) -> tuple[int, int]:
        """Return the number of entries and their bytes."""
        self.remove_expired()
        used, _, sizes = self._index
        found = ask(lambda client: (client.zcard(used), client.hget(sizes, "")))
        return (0, 0) if found is UNREACHABLE else (found[0], int(found[1] or 0))

    def _repeat(self, script: str) -> int:
        total = 0
        while True:
            done = self._run(script, self._index, [_BATCH])
            if done is UNREACHABLE:
                return total
            total += int(done)
            if int(done) < _BATCH:
                return total

    @staticmethod
    def _run(script: str, keys: list[str], arguments: list[Any], then: tuple[Command, ...] = ()) -> Any:
        replies = ask_all(("EVALSHA", _digest(script), len(keys), *keys, *arguments), *then)
        if replies is not UNREACHABLE and str(replies[0]).startswith("NOSCRIPT"):
            replies = ask_all(("EVAL", script, len(keys), *keys, *arguments))
        if replies is UNREACHABLE:
            return UNREACHABLE
        if isinstance(replies[0], Exception):
            # Full or read-only: this call does without, others may not.
            logger.warning("The cache refused a command: %s", replies[0])
            return UNREACHABLE
        return replies[0]


@cache
def _digest(script: str) -> str:
    """Return the name that Valkey knows a script by."""
    return sha1(script.encode(), usedforsecurity=False).hexdigest()
