"""Tags with versions: one write makes every entry under a tag worthless, however many there are."""

import secrets
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from redis import Redis

from performance.caches.valkey import UNREACHABLE, ask, breaker, client, key

# Longer than any entry lives. A version that expired earlier would only cost a miss: entries remember the
# version itself, and a new one is drawn at random, never counted up again from zero.
TAG_LIFETIME_SECONDS = 86_400
# Beyond this many tags missed in one outage everything is forgotten instead.
MOST_MISSED_TAGS = 10_000

EVERYTHING = "everything"
_missed: set[str] = set()
_missed_lock = threading.Lock()


def tag_key(tag: str) -> str:
    return key("tag", tag)


def new_version() -> str:
    return secrets.token_hex(8)


def add_versions(pipeline: Any, tags: Sequence[str]) -> None:
    """Add to a pipeline: give tags that have no version one."""
    for tag in tags:
        pipeline.set(tag_key(tag), new_version(), nx=True, ex=TAG_LIFETIME_SECONDS)


def invalidate(*tags: str) -> None:
    """Make every entry under these tags worthless once the current transaction is committed."""
    transaction.on_commit(lambda: invalidate_now(tags), robust=True)


def invalidate_now(tags: Iterable[str]) -> None:
    """Make every entry under these tags worthless now.

    While Valkey cannot be reached the tags are kept, and sent before this process reads from it again.
    """
    wanted = set(tags)
    if ask(lambda connection: _draw_versions(connection, wanted)) is UNREACHABLE:
        with _missed_lock:
            _missed.update(wanted)
            if len(_missed) > MOST_MISSED_TAGS:
                _missed.clear()
                _missed.add(EVERYTHING)


def _draw_versions(connection: Redis, tags: Iterable[str]) -> None:
    pipeline = connection.pipeline(transaction=False)
    for tag in tags:
        pipeline.set(tag_key(tag), new_version(), ex=TAG_LIFETIME_SECONDS)
    pipeline.execute()


def _send_missed() -> None:
    with _missed_lock:
        tags = set(_missed)
    if tags:
        _draw_versions(client(), tags)
        with _missed_lock:
            _missed.difference_update(tags)


breaker.before_closing(_send_missed)


def invalidate_user_cache(profile_id: int) -> None:
    """Forget what was cached of and for a profile."""
    invalidate(f"profile:{profile_id}")


def invalidate_agent_cache(agent_id: int, owner_id: int | None = None) -> None:
    """Forget what was cached of an agent, and its owner's lists of agents."""
    tags = [f"agent:{agent_id}", f"profile:{agent_id}"]
    invalidate(*tags, *([f"agents_of:{owner_id}"] if owner_id else []))


def invalidate_all_analytics() -> None:
    invalidate("cache:analytics")
