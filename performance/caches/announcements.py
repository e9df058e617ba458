"""News for whoever listens this moment: lost without harm, and next to free while nobody does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.client import PubSub
from redis.exceptions import RedisError

from performance.caches.invalidation import say
from performance.caches.valkey import breaker, client, key
from performance.ending import is_ending

CONFIRMATION_SECONDS = 1.0
# How soon one who listens notices that the process ends.
AT_MOST_SECONDS = 0.5


def channel(name: str) -> str:
    return key("channel", name)


def announce(name: str, text: str) -> None:
    """Say something on a channel once the current transaction is committed."""
    say(("PUBLISH", channel(name), text))


class Unheard(Exception):
    """Nobody can listen now: Valkey does not answer."""


class Listening:
    """A subscription: what is said from now on is heard."""

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub

    def hear(self, seconds: float) -> list[tuple[str, str]]:
        """Wait until something is said or the process ends; return all of it as pairs of channel and text.

        Raise `Unheard` when Valkey does not answer.
        """
        heard: list[tuple[str, str]] = []
        end = time.monotonic() + seconds
        try:
            found = None
            while found is None and (left := end - time.monotonic()) > 0 and not is_ending():
                found = self._next(min(left, AT_MOST_SECONDS))
            while found is not None:
                heard.append((found["channel"].decode(), found["data"].decode()))
                found = self._next(0)
        except (RedisError, OSError) as error:
            raise Unheard from error
        return heard

    def _next(self, seconds: float) -> Any:
        return self._pubsub.get_message(ignore_subscribe_messages=True, timeout=seconds)


@contextmanager
def listening(*channels: str) -> Iterator[Listening]:
    """Subscribe to channels by their full names, before the first look at what they speak of; raise `Unheard`."""
    if breaker.is_open:
        raise Unheard
    pubsub: PubSub = client().pubsub()  # type: ignore[no-untyped-call]
    try:
        pubsub.subscribe(*channels)
        for _ in channels:
            if pubsub.get_message(timeout=CONFIRMATION_SECONDS) is None:
                raise Unheard
    except (RedisError, OSError) as error:
        pubsub.close()
        raise Unheard from error
    try:
        yield Listening(pubsub)
    finally:
        pubsub.close()
