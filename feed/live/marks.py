"""How far a reader was told, so that nothing is told twice and nothing is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

# Found at once, and so told ahead of the slowest transaction.
MOST = 100
ONE = r"([0-9]{1,19})((?:\+[0-9]{1,19}){0,300})"
POSITION = re.compile(rf"{ONE}-{ONE}")


class Snapshot(NamedTuple):
    """Which transactions are over: all before `oldest`, none from `next` on."""

    oldest: int
    next: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `pg_current_snapshot()` wrote."""
        oldest, next_one, _ = text.split(":")
        return cls(int(oldest), int(next_one))


@dataclass(frozen=True)
class Mark:
    """How far a list of growing keys was told: all up to `floor`, and beyond it those in `told`.

    A key is drawn before its transaction commits, so a smaller one may appear after a larger one. The floor rises
    to a key only when every transaction that was running when that key was seen is over.
    """

    floor: int
    told: frozenset[int] = frozenset()
    # The largest key that was seen, and the first transaction that began after that.
    pending: tuple[int, int] | None = None

    def after(self, keys: list[int], snapshot: Snapshot) -> Mark:
        """Return the mark after the smallest keys beyond the floor were seen under this snapshot, and told."""
        told = self.told.union(keys)
        settled = self.floor
        if told and snapshot.oldest == snapshot.next:
            settled = max(told)
        elif self.pending and snapshot.oldest >= self.pending[1]:
            settled = self.pending[0]
        # Beyond the last of a full page there may be keys that were not seen.
        floor = max(self.floor, min(settled, keys[-1]) if len(keys) >= MOST else settled)
        told = frozenset(key for key in told if key > floor)
        pending = self.pending if self.pending and self.pending[0] > floor else None
        if told and pending is None:
            pending = max(told), snapshot.next
        return Mark(floor, told, pending)

    def __str__(self) -> str:
        return "+".join([str(self.floor), *[str(key - self.floor) for key in sorted(self.told)]])


@dataclass(frozen=True)
class Position:
    """How far a reader was told of notifications and of posts: the id of an event."""

    notifications: Mark
    posts: Mark

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """Read the id of an event; None for what is none."""
        match = POSITION.fullmatch(text)
        if match is None:
            return None
        return cls(_mark(match[1], match[2]), _mark(match[3], match[4]))

    def told(self, *, notification: int | None = None, post: int | None = None) -> Position:
        """Return the position after one more was told, from which a reader who is cut off here goes on."""
        if notification is not None:
            mark = self.notifications
            return replace(self, notifications=replace(mark, told=mark.told | {notification}))
        if post is not None:
            return replace(self, posts=replace(self.posts, told=self.posts.told | {post}))
        return self

    def __str__(self) -> str:
        return f"{self.notifications}-{self.posts}"


def _mark(floor: str, beyond: str) -> Mark:
    # A floor that PostgreSQL cannot hold is beyond every key.
    start = min(int(floor), 2**63 - 1)
    return Mark(start, frozenset(start + int(step) for step in beyond.split("+")[1:]))
