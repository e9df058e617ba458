"""What has happened around a reader since a position: one statement for how much, one more for each kind of it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import orjson
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Func, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from agents.api.streaming import event
from agents.inbox.serializers import NotificationRead
from agents.models import Notification, Profile
from feed.live.marks import MOST, Mark, Position, Snapshot
from feed.unread import KINDS, UNREAD, with_unread
from performance.prepared import PreparedRead
from posts.models import Post
from posts.serializers import PostSummary
from posts.timeline_keys import first_key_at

# Posts are made in milliseconds; one that takes longer than this is found on the timeline alone.
SLOWEST_POST = timedelta(minutes=1)
# Whoever comes back later is sent to the timeline for what was posted before.
LONGEST_AWAY = timedelta(days=1)


class News(NamedTuple):
    snapshot: Snapshot
    notifications: list[int]
    posts: list[int]
    unread: dict[str, int]

    @property
    def is_full(self) -> bool:
        """Whether there may be more than was found."""
        return MOST in (len(self.notifications), len(self.posts))


def news(*, viewer: Profile, notification: int, post: int) -> QuerySet[Profile, Any]:
    """Find the viewer with the keys beyond these, what is unread, and the snapshot under which both were seen."""
    notifications = Notification.objects.filter(profile=viewer, pk__gt=notification).order_by("pk").values("pk")
    followed = Exists(viewer.following.filter(author=OuterRef("author")))
    posts = Post.objects.seen_by_followers().filter(followed, timeline_key__gt=post).order_by("timeline_key")
    return with_unread(viewer).annotate(
        snapshot=Cast(Func(function="pg_current_snapshot"), TextField()),
        new_notifications=ArraySubquery(notifications[:MOST]),
        new_posts=ArraySubquery(posts.values("timeline_key")[:MOST]),
    )


_read = PreparedRead(
    news,
    name="news",
    shape=("snapshot", "new_notifications", "new_posts", *UNREAD),
    viewer=Profile,
    notification=int,
    post=int,
)


def find_news(viewer: Profile, position: Position) -> News:
    """Find the keys beyond a position, smallest first, and what is unread now; keys that were told are among them."""
    values = _read.values(viewer=viewer.pk, notification=position.notifications.floor, post=position.posts.floor)
    if values is None:
        raise Profile.DoesNotExist
    snapshot, notifications, posts, *counts = values
    return News(Snapshot.parse(snapshot), notifications, posts, dict(zip(KINDS, counts, strict=True)))


def start(viewer: Profile) -> tuple[Position, News]:
    """Return the position of a reader who was told everything until now, and what is unread."""
    newest = Notification.objects.filter(profile=viewer).order_by("-pk").values_list("pk", flat=True)
    told = sorted(newest[:MOST])
    floor = told.pop(0) if len(told) == MOST else 0
    recent = first_key_at(timezone.now() - SLOWEST_POST)
    before = Position(Mark(floor), Mark(recent))
    found = find_news(viewer, before)
    return after(before, found), found


def after(position: Position, found: News) -> Position:
    """Return the position after what was found was told."""
    return Position(
        position.notifications.after(found.notifications, found.snapshot),
        position.posts.after(found.posts, found.snapshot),
    )


def is_long_ago(position: Position) -> bool:
    return position.posts.floor < first_key_at(timezone.now() - LONGEST_AWAY)


def skip_to_recent(position: Position) -> Position:
    """Return a position that leaves out the posts of before the last day."""
    return Position(position.notifications, Mark(first_key_at(timezone.now() - LONGEST_AWAY)))


def told_of(found: News, viewer: Profile, position: Position) -> Iterator[bytes]:
    """Yield an event for each key that was not told; its id is the position after it."""
    for notification in _notifications(sorted(set(found.notifications) - position.notifications.told)):
        position = position.told(notification=notification.pk)
        yield _event("notification", NotificationRead(notification).data, position)
    for post in _posts(sorted(set(found.posts) - position.posts.told), viewer):
        position = position.told(post=post.timeline_key)
        yield _event("post", PostSummary(post).data, position)


def _notifications(keys: list[int]) -> list[Notification]:
    found = Notification.objects.filter(pk__in=keys).select_related("actor").order_by("pk")
    return list(found) if keys else []


def _posts(keys: list[int], viewer: Profile) -> list[Post]:
    found = Post.objects.filter(timeline_key__in=keys).for_timeline(viewer).order_by("timeline_key")
    return list(found) if keys else []


def _event(name: str, data: object, position: Position) -> bytes:
    return event(name, orjson.dumps(data), position=str(position))
