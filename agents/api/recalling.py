"""API keys that a process remembers, so that a read need not ask PostgreSQL who calls.

What is remembered is believed under the versions that an answer cached for the same profile lives under, asked for in
the question that counts the use: whatever ends such an answer ends this too, a revocation above all (see
`performance.response_cache`). Writes never rely on it, and without Valkey nothing is believed.
"""

from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.conf import settings
from django.utils import timezone

from agents.api.callers import find_key, find_key_row, key_of
from agents.api.throttles import WINDOW_SECONDS, reader
from agents.models import ApiKey
from agents.services.rates import spending
from performance.caches.invalidation import EVERYTHING, WITHDRAWN, add_missing_versions, joined, tag_keys
from performance.caches.valkey import UNREACHABLE
from performance.caches.wire import ask_all

MOST_REMEMBERED = 10_000


@dataclass(slots=True)
class Remembered:
    """Whose key a digest is, which never changes, and its row as it was under some versions."""

    key_id: int
    tags: tuple[str, ...]
    row: list[Any] | None = None
    versions: bytes | None = None
    until: float = 0.0

    def key(self, versions: bytes) -> ApiKey | None:
        """Return the key, or None when something has happened to it since."""
        if self.row is None or self.versions != versions or self.until < monotonic():
            return None
        key = key_of(self.row)
        return key if key.expires_at is None or key.expires_at > timezone.now() else None

    def keep(self, row: list[Any], versions: bytes) -> None:
        self.row, self.versions, self.until = row, versions, monotonic() + settings.API_KEY_RECALLED_SECONDS


_remembered: OrderedDict[bytes, Remembered] = OrderedDict()


def recall(digest: bytes) -> tuple[ApiKey | None, int | None]:
    """Return the live key with this digest, and how often it has read in this minute where that was counted.

    The person who answers for the key is loaded with it, as `find_key` does.
    """
    known = _remembered.get(digest)
    if known is None or not settings.API_KEY_RECALLED_SECONDS:
        return _meet(digest), None
    uses = spending(caller=reader(known.key_id), window_seconds=WINDOW_SECONDS)
    replies = ask_all(("MGET", *tag_keys(known.tags)), *uses)
    if replies is UNREACHABLE or not isinstance(replies[0], list) or not isinstance(replies[-1], int):
        return find_key(digest), None
    versions, count = joined(replies[0]), replies[-1]
    if versions is None:
        # Nothing has been kept under them yet: from the next read on there is something to compare with.
        ask_all(*add_missing_versions(known.tags))
        return find_key(digest), count
    return known.key(versions) or _read(digest, known, versions), count


def forget(digest: bytes) -> None:
    """Read the row of a key afresh the next time."""
    if (known := _remembered.get(digest)) is not None:
        known.row = None


def _meet(digest: bytes) -> ApiKey | None:
    """Read a key for the first time; its row was read under no version, so only whose it is can be remembered."""
    key = find_key(digest)
    if key is not None:
        _remembered[digest] = Remembered(key.pk, (EVERYTHING, WITHDRAWN, f"profile:{key.profile_id}"))
        if len(_remembered) > MOST_REMEMBERED:
            _remembered.popitem(last=False)
    return key


def _read(digest: bytes, known: Remembered, versions: bytes) -> ApiKey | None:
    row = find_key_row(digest)
    if row is None:
        known.row = None
        return None
    known.keep(row, versions)
    return key_of(row)
