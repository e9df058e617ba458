"""Valkey is killed, frozen and emptied under load: no error, nothing twice, and all recovers by itself."""

import time
from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from agents.models import RateWindow
from performance.caches.valkey import breaker
from posts.models import Like, Post
from tests.concurrency import wait_until
from tests.faults.conftest import Measure
from tests.faults.valkey_load import Load
from tests.performance.conftest import OwnValkey
from tests.performance.conftest import valkey as valkey

pytestmark = pytest.mark.django_db(transaction=True)

WRITES_PER_MINUTE = 10**6
# What one of the writers has left of it.
LEFT = 20
ADDED_MS, ADDED_UNTIL_OPEN_MS = 50, 300
FULL_SECONDS = 10


def kill(valkey: OwnValkey) -> None:
    valkey.kill()


def freeze(valkey: OwnValkey) -> None:
    valkey.freeze()


def flush(valkey: OwnValkey) -> None:
    valkey.client().flushall()


def thaw(valkey: OwnValkey) -> None:
    valkey.thaw()


def start(valkey: OwnValkey) -> None:
    valkey.start()


def nothing(valkey: OwnValkey) -> None:
    pass


FAULTS: dict[str, tuple[Callable[[OwnValkey], None], Callable[[OwnValkey], None]]] = {
    "killed": (kill, start),
    "frozen": (freeze, thaw),
    "flushed": (flush, nothing),
}


class Course:
    """What happens, and when: all well, the fault, its end, all well again."""

    def __init__(self, fault: str, valkey: OwnValkey, load: Load, *, seconds: float) -> None:
        self.fault, self.valkey, self.load, self.seconds = fault, valkey, load, seconds

    def __call__(self) -> None:
        begin, end = FAULTS[self.fault]
        self.go_on()
        self.struck_at = time.monotonic()
        begin(self.valkey)
        if self.fault != "flushed":
            wait_until(lambda: breaker.is_open, seconds=30)
        self.opened_at = time.monotonic()
        self.go_on()
        self.ended_at = time.monotonic()
        end(self.valkey)
        wait_until(lambda: not breaker.is_open, seconds=30)
        wait_until(self.hits_again, seconds=30)
        self.go_on()

    def hits_again(self) -> bool:
        return any(done.is_hit and done.began_at > self.ended_at for done in self.load.done)

    def go_on(self) -> None:
        """Let everyone do each thing at least once, and more when there is time."""
        until, kinds = time.monotonic() + self.seconds, ("read", "page", "like", "post", "limited")
        before = {kind: self.load.count_of(kind) for kind in kinds}
        wait_until(lambda: all(self.load.count_of(kind) >= before[kind] + 10 for kind in kinds), seconds=60)
        wait_until(lambda: time.monotonic() > until, seconds=60)


@pytest.mark.parametrize("fault", FAULTS)
def test_valkey_under_load(
    fault: str, valkey: OwnValkey, settings: Settings, monkeypatch: pytest.MonkeyPatch, measure: Measure, is_full: bool
) -> None:
    settings.REQUESTS_PER_MINUTE = {**settings.REQUESTS_PER_MINUTE, "read": 10**6, "write": WRITES_PER_MINUTE}
    # No new minute begins in the middle.
    monkeypatch.setattr("agents.api.throttles.WINDOW_SECONDS", 10**9)
    load = Load(threads=12, pause_seconds=0.1 if is_full else 0.01)
    load.write("limited", load.limited, f"/api/posts/{load.posts[0].pk}/like")
    RateWindow.objects.update(count=WRITES_PER_MINUTE - LEFT)
    course = Course(fault, valkey, load, seconds=FULL_SECONDS if is_full else 0)
    load.run(course)

    failed = [done for done in load.done if done.status >= 500]
    measure(f"valkey {fault}: 5xx", len(failed), goal=0, unit=f"of {len(load.done)} responses")
    assert failed == []
    assert {done.status for done in load.done if done.kind != "limited"} <= {200, 201, 409}
    # One effect per key, one like per person: nothing twice, nothing lost.
    created = Post.objects.filter(title="once")
    measure(f"valkey {fault}: doubled", created.count() - len(load.idempotency_keys), goal=0, unit="posts")
    assert created.count() == len(load.idempotency_keys)
    for post in Post.objects.filter(pk__in=[post.pk for post in load.posts]):
        assert post.like_count == Like.objects.filter(post=post).count() >= 1
    allowed = [done for done in load.done[1:] if done.kind == "limited" and done.status != 429]
    measure(f"valkey {fault}: writes over the limit", len(allowed) - LEFT, goal=0, unit="writes")
    assert len(allowed) == LEFT

    # The first requests of a process compile what they read.
    before = load.p95_ms(course.struck_at - course.seconds / 2, course.struck_at)
    added = load.p95_ms(course.opened_at, course.ended_at) - before
    measure(f"valkey {fault}: P95 added", round(added, 1), goal=ADDED_MS, unit="ms")
    if fault != "flushed":
        added = load.p95_ms(course.struck_at, course.opened_at) - before
        measure(
            f"valkey {fault}: P95 added until the breaker opens", round(added, 1), goal=ADDED_UNTIL_OPEN_MS, unit="ms"
        )
