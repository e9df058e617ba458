"""Server-sent events: few at a time, each resumable, none of them needed.

A stream holds a thread of the server for as long as it is open. Whoever finds no place is answered what there is
and told when to ask again: the same endpoint is then polled, by the same client. See docs/decisions/0025.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import orjson
from django.conf import settings
from django.db import connection
from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

from performance.ending import is_ending

MEDIA_TYPE = "text/event-stream"
# Also how soon a reader who has gone is noticed.
HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b": here\n\n"
PER_VIEWER = 3
# A stream that ends by itself is asked for again.
RETRY_MS = 2000


class EventStream(BaseRenderer):
    """Lets a client ask for events; problems are still told in JSON."""

    media_type = MEDIA_TYPE
    format = "event-stream"

    def render(self, data: object, *args: object, **kwargs: object) -> bytes:
        return orjson.dumps(data)


class Source(Protocol):
    """What a stream tells."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to tell."""

    def look(self) -> Iterable[bytes]:
        """Return the events that have not been told yet."""

    def wait(self) -> None:
        """Return when it is worth looking again, and before a heartbeat is due."""


type OpenSource = Callable[[bool], AbstractContextManager[Source]]


class Places:
    """How many streams this process holds, and for whom."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Counter[int] = Counter()

    def take(self, viewer_id: int) -> bool:
        with self._lock:
            is_free = self._held.total() < settings.EVENT_STREAMS and self._held[viewer_id] < PER_VIEWER
            self._held[viewer_id] += is_free
            return is_free

    def leave(self, viewer_id: int) -> None:
        with self._lock:
            self._held -= Counter({viewer_id: 1})

    def __len__(self) -> int:
        return self._held.total()


places = Places()


def event(name: str, data: bytes, *, position: str = "") -> bytes:
    """Return one event; `position` is what the client sends back as `Last-Event-ID`. `data` is without line breaks."""
    return b"%bevent: %b\ndata: %b\n\n" % (b"id: %b\n" % position.encode() if position else b"", name.encode(), data)


def stream(source: OpenSource, *, viewer_id: int, poll_ms: int) -> StreamingHttpResponse:
    """Answer what a source tells until it is over, `settings.EVENT_STREAM_SECONDS` have passed or the server ends.

    `source` is called when the answer begins, with whether it will be held open; if not, the client is told to ask
    again after `poll_ms`.
    """
    response = StreamingHttpResponse(events(source, viewer_id, poll_ms), content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def events(source: OpenSource, viewer_id: int, poll_ms: int) -> Iterator[bytes]:
    # Taken here, not in the view: what is never iterated is never closed either.
    is_held = places.take(viewer_id)
    try:
        yield b"retry: %d\n\n" % (RETRY_MS if is_held else poll_ms)
        with source(is_held) as told:
            yield from _told_by(told, is_held=is_held)
    finally:
        if is_held:
            places.leave(viewer_id)


def _told_by(told: Source, *, is_held: bool) -> Iterator[bytes]:
    end = time.monotonic() + settings.EVENT_STREAM_SECONDS
    silent_since = time.monotonic()
    while True:
        for found in told.look():
            yield found
            silent_since = time.monotonic()
        if told.is_over or not is_held or time.monotonic() > end:
            return
        # The stream may last a minute: no connection is held between two looks.
        if not connection.in_atomic_block:
            connection.close()
        told.wait()
        if is_ending():
            return
        if time.monotonic() - silent_since >= HEARTBEAT_SECONDS:
            yield HEARTBEAT
            silent_since = time.monotonic()
