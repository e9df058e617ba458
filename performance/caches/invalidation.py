"""Tags with versions: one write makes every entry under a tag worthless, however many there are."""

import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from zlib import crc32

from django.db import transaction

from performance.caches.valkey import UNREACHABLE, breaker, client, key
from performance.caches.wire import ask_all

# Longer than any entry lives. A version that expired earlier would only cost a miss: entries remember the
# version itself, and a new one is drawn at random, never counted up again from zero.
TAG_LIFETIME_SECONDS = 86_400
# Beyond this many tags missed in one outage everything is forgotten instead.
MOST_MISSED_TAGS = 10_000

SHOWN_TAGS = 4096

EVERYTHING = "everything"
# Changes when anything may no longer be seen by somebody who may have seen it.
WITHDRAWN = "withdrawn"
_missed: set[str] = set()
_missed_lock = threading.Lock()


def tag_key(tag: str) -> str:
    return key("tag", tag)


def tag_keys(tags: Iterable[str]) -> list[str]:
    """Name the versions of several tags; every answer from a cache asks for some."""
    prefix = key("tag", "")
    return [prefix + tag for tag in tags]


def shown(kind: str, name: object) -> str:
    """Return the tag of the answers whose path names something: a post, an author, a community.

    Many names share a tag, which costs a miss now and then: anybody can ask for any path, and each tag takes memory.
    """
    return f"{kind}:{crc32(str(name).lower().encode('utf-8', 'surrogatepass')) % SHOWN_TAGS}"


def joined(versions: Sequence[bytes | None]) -> bytes | None:
    """Return versions as the one value that an entry keeps, or None when one of them is missing."""
    return None if None in versions else b"|".join([version for version in versions if version is not None])


def new_version() -> str:
    return secrets.token_hex(8)


def add_versions(pipeline: Any, tags: Sequence[str]) -> None:
    """Add to a pipeline: give tags that have no version one."""
    for command in add_missing_versions(tags):
        pipeline.execute_command(*command)


def add_missing_versions(tags: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the commands that give tags that have no version one."""
    return [("SET", tag_key(tag), new_version(), "NX", "EX", str(TAG_LIFETIME_SECONDS)) for tag in tags]


class Gathered:
    """What a request has to tell Valkey."""

    def __init__(self) -> None:
        self.tags: set[str] = set()
        self.news: list[tuple[str, ...]] = []

    def send(self) -> None:
        """Say it with one question; listeners hear the news when nothing older is believed any more."""
        tags, news = self.tags, self.news
        self.tags, self.news = set(), []
        if tags or news:
            _say(tags, news)


_gathered: ContextVar[Gathered | None] = ContextVar("gathered", default=None)


@contextmanager
def gathering() -> Iterator[Gathered]:
    """Gather what is invalidated and announced within, and say all of it at the end.

    A request then waits once for Valkey, and not once for each service; it has not been answered yet.
    """
    gathered = Gathered()
    token = _gathered.set(gathered)
    try:
        yield gathered
    finally:
        _gathered.reset(token)
        gathered.send()


def settle() -> None:
    """Say what has been gathered so far: who asks for versions now must not be told older ones."""
    if (gathered := _gathered.get()) is not None:
        gathered.send()


def invalidate(*tags: str) -> None:
    """Make every entry under these tags worthless once the current transaction is committed.

    Inside of `gathering` that is at its end.
    """
    if tags:
        transaction.on_commit(lambda: _tell(tags, ()), robust=True)


def say(command: tuple[str, ...]) -> None:
    """Send a command that tells news once the current transaction is committed."""
    transaction.on_commit(lambda: _tell((), (command,)), robust=True)


def _tell(tags: Iterable[str], news: Iterable[tuple[str, ...]]) -> None:
    if (gathered := _gathered.get()) is None:
        _say(tags, news)
    else:
        gathered.tags.update(tags)
        gathered.news.extend(news)


def invalidate_now(tags: Iterable[str]) -> None:
    """Make every entry under these tags worthless now.

    While Valkey cannot be reached the tags are kept, and sent before this process reads from it again.
    """
    _say(tags, ())


def _say(tags: Iterable[str], news: Iterable[tuple[str, ...]]) -> None:
    wanted = set(tags)
    if ask_all(*_new_versions(wanted), *news) is UNREACHABLE:
        with _missed_lock:
            _missed.update(wanted)
            if len(_missed) > MOST_MISSED_TAGS:
                _missed.clear()
                _missed.add(EVERYTHING)


def _new_versions(tags: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the commands that end what was cached under tags, and wake who listens for a change of them."""
    commands: list[tuple[str, ...]] = []
    for tag in tags:
        commands.append(("SET", tag_key(tag), new_version(), "EX", str(TAG_LIFETIME_SECONDS)))
        commands.append(("PUBLISH", tag_key(tag), ""))
    return commands


def _send_missed() -> None:
    with _missed_lock:
        tags = set(_missed)
    if tags:
        pipeline = client().pipeline(transaction=False)
        for command in _new_versions(tags):
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        pipeline.execute()
        with _missed_lock:
            _missed.difference_update(tags)


breaker.before_closing(_send_missed)


def withdraw() -> None:
    """Forget every cached response once the current transaction is committed: something may no longer be seen."""
    invalidate(WITHDRAWN)


def invalidate_user_cache(*profile_ids: int) -> None:
    """Forget what was cached of and for profiles."""
    invalidate(*(f"profile:{pk}" for pk in profile_ids))


def invalidate_agent_cache(agent_id: int, owner_id: int | None = None) -> None:
    """Forget what was cached of and for an agent, and for its owner."""
    invalidate(f"agent:{agent_id}", *(f"profile:{pk}" for pk in (agent_id, owner_id) if pk))


def invalidate_all_analytics() -> None:
    invalidate("cache:analytics")
