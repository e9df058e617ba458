from collections.abc import Iterator
from contextlib import contextmanager

import orjson
from rest_framework.request import Request

from agents.api.authentication import is_still_valid
from agents.api.streaming import HEARTBEAT_SECONDS, event
from agents.models import Profile
from feed.live import looking
from feed.live.marks import Position
from performance.caches.announcements import Listening, Unheard, channel, listening
from performance.caches.invalidation import tag_key
from posts.services.posts import PUBLISHED

# While something is held back: a transaction is running that is slower than a hundred events.
SOON_SECONDS = 1.0


@contextmanager
def reader_events(
    request: Request, viewer: Profile, position: Position | None, *, is_held: bool
) -> Iterator["ReaderEvents"]:
    """Open what a reader is told from a position on, or from now on without one.

    It is listened to first and looked for then, so that nothing falls between the two.
    """
    if not is_held:
        yield ReaderEvents(request, viewer, position, None)
        return
    try:
        with listening(tag_key(f"profile:{viewer.pk}"), channel(PUBLISHED)) as heard:
            yield ReaderEvents(request, viewer, position, heard)
    except Unheard:
        # Without Valkey a reader polls, and finds all the same.
        yield ReaderEvents(request, viewer, position, None)


class ReaderEvents:
    """Tells a reader what happens around them: `counts`, `notification`, `post` and `gap` events.

    What is heard says only that looking is worth while; without it, it looks as often as a heartbeat is due.
    """

    def __init__(
        self, request: Request, viewer: Profile, position: Position | None, listening: Listening | None
    ) -> None:
        self.request, self.viewer, self.position, self.listening = request, viewer, position, listening
        self.is_over = listening is None
        self.counts: dict[str, int] = {}
        self.longest_wait = HEARTBEAT_SECONDS
        self.follows = set(viewer.following.values_list("author", flat=True)) if listening else set()

    def look(self) -> Iterator[bytes]:
        if self.counts and not is_still_valid(self.request):
            self.is_over = True
            return
        if self.position is None:
            self.position, news = looking.start(self.viewer)
            yield from self._tell_counts(news.unread)
            return
        if looking.is_long_ago(self.position):
            self.position = looking.skip_to_recent(self.position)
            yield event("gap", b"{}", position=str(self.position))
        yield from self._tell_news(self.position)

    def _tell_news(self, position: Position) -> Iterator[bytes]:
        """Tell what is new, a hundred at a time."""
        while True:
            news, before = looking.find_news(self.viewer, position), position
            yield from looking.told_of(news, self.viewer, position)
            position = self.position = looking.after(position, news)
            yield from self._tell_counts(news.unread)
            if not news.is_full or position == before:
                break
        self.longest_wait = SOON_SECONDS if news.is_full else HEARTBEAT_SECONDS

    def _tell_counts(self, counts: dict[str, int]) -> Iterator[bytes]:
        if counts != self.counts:
            self.counts = counts
            yield event("counts", orjson.dumps(counts), position=str(self.position))

    def wait(self) -> None:
        if self.listening is None:
            return
        try:
            heard = self.listening.hear(self.longest_wait)
            while heard and not any(self._concerns(*said) for said in heard):
                heard = self.listening.hear(self.longest_wait)
        except Unheard:
            self.is_over = True

    def _concerns(self, where: str, text: str) -> bool:
        """Whether something was said on the reader's own channel, or of an author they follow."""
        return where != channel(PUBLISHED) or (text.isdigit() and int(text) in self.follows)
