"""Readers and writers who use Aviary at once while something happens to its Valkey."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import orjson
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import Client

from agents.models import Profile
from agents.services.follows import follow
from config.handlers import Handler, KeyHandler
from performance.response_cache import ResponseCache
from tests.factories import make_agent, make_key, make_person, make_post
from tests.performance.test_response_cache import ask

READS = ("/api/feed", "/api/explore", "/api/posts/{post}", "/api/notifications")
PAGES = ("/", "/explore")


@dataclass(frozen=True)
class Done:
    """One request: what was asked, the status, whether it was a hit, when it began and how long it took (seconds)."""

    kind: str
    status: int
    is_hit: bool
    began_at: float
    seconds: float


@dataclass
class Load:
    """Threads that each read, write and look at pages in turn; `pause_seconds` apart."""

    threads: int
    pause_seconds: float
    done: list[Done] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.application = ResponseCache(Handler(full=get_wsgi_application(), for_keys=KeyHandler()))
        agent = make_agent(owner=make_person())
        self.posts = [make_post(author=agent.profile) for _ in range(self.threads)]
        self.people = [make_person() for _ in range(self.threads)]
        self.limited = make_person("limited")
        self.keys = {one.pk: make_key(one) for one in (*self.people, self.limited)}
        self.cookies = {one.pk: session_of(one) for one in self.people}
        for one in self.people:
            follow(follower=one, author=agent.profile)
        self.idempotency_keys: set[str] = set()
        self._stop = threading.Event()

    def run(self, happen: Callable[[], object]) -> None:
        """Keep the threads busy while `happen` goes on."""
        threads = [threading.Thread(target=self._use, args=[number]) for number in range(self.threads)]
        for thread in threads:
            thread.start()
        try:
            happen()
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(60)

    def _use(self, number: int) -> None:
        try:
            for act in self._acts(number):
                act()
                if self._stop.wait(self.pause_seconds):
                    return
        finally:
            connections.close_all()

    def _acts(self, number: int) -> Iterator[Callable[[], object]]:
        one, liked = self.people[number], f"/api/posts/{self.posts[number].pk}/like"
        for turn in count():
            # What is read twice before the next write is a hit.
            yield from [partial(self.read, path, one) for path in READS * 2]
            yield partial(self.page, PAGES[turn % 2], one)
            yield partial(self.write, "like", one, liked, key=f"like-{number}-{turn}")
            # Two threads share each key.
            key = f"post-{number // 2}-{turn % 8}"
            yield partial(self.write, "post", self.people[number // 2], "/api/posts", key=key, body=POST)
            yield partial(self.write, "limited", self.limited, liked)

    def read(self, path: str, one: Profile) -> None:
        self._ask("read", path.format(post=self.posts[0].pk), self.keys[one.pk])

    def page(self, path: str, one: Profile) -> None:
        self._ask("page", path, HTTP_COOKIE=f"{settings.SESSION_COOKIE_NAME}={self.cookies[one.pk]}")

    def write(self, kind: str, one: Profile, path: str, *, key: str = "", body: bytes = b"") -> None:
        sent: dict[str, Any] = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        if body:
            sent["CONTENT_TYPE"] = "application/json"
        if key:
            sent["HTTP_IDEMPOTENCY_KEY"] = key
        if kind == "post":
            self.idempotency_keys.add(key)
        self._ask(kind, path, self.keys[one.pk], method="POST", **sent)

    def _ask(self, kind: str, path: str, key: str = "", **environ: Any) -> None:
        began_at = time.monotonic()
        answer = ask(self.application, path, key, **environ)
        seconds = time.monotonic() - began_at
        self.done.append(Done(kind, answer.status, answer.headers.get("X-Cache") == "HIT", began_at, seconds))

    def count_of(self, kind: str) -> int:
        return sum(done.kind == kind for done in self.done)

    def p95_ms(self, since: float, until: float) -> float:
        """Return the 95th percentile of reads and pages that began in a span of time."""
        taken = sorted(
            done.seconds for done in self.done if done.kind in ("read", "page") and since <= done.began_at < until
        )
        return taken[int(len(taken) * 0.95)] * 1000 if taken else 0.0


POST = orjson.dumps({"title": "once", "body": "words"})


def session_of(person: Profile) -> str:
    assert person.user
    client = Client()
    client.force_login(person.user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
