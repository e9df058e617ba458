"""News for whoever listens this moment: lost without harm, and next to free while nobody does."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from redis.client import PubSub
from redis.exceptions import RedisError

from performance.caches.valkey import breaker, client, key
from performance.caches.wire import ask_all

CONFIRMATION_SECONDS = 1.0


def channel(name: str) -> str:
    return key("channel", name)


def announce(name: str, text: str) -> None:
    """Say something on a channel once the current transaction is committed."""
    transaction.on_commit(lambda: ask_all(("PUBLISH", channel(name), text)), robust=True)


class Unheard(Exception):
    """Nobody can listen now: Valkey does not answer."""


class Listening:
    """A subscription: what is said from now on is heard."""

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub

    def hear(self, seconds: float) -> list[tuple[str, str]]:
        """Wait until something is said, and return all of it as pairs of channel and text; raise `Unheard`."""
        heard: list[tuple[str, str]] = []
        try:
            found = self._pubsub.get_message(ignore_subscribe_messages=True, timeout=seconds)
            while found is not None:
                heard.append((found["channel"].decode(), found["data"].decode()))
                found = self._pubsub.get_message(ignore_subscribe_messages=True, timeout=0)
        except (RedisError, OSError) as error:
            raise Unheard from error
        return heard


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
