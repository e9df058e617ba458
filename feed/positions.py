"""Where a reader left off in a timeline, the same on every device."""

from django.db import connection

from agents.models import Profile
from feed.models import ReadPosition
from posts.models import Post


def position_of(*, viewer: Profile, timeline: str) -> int | None:
    """Return the key down from which a reader has read everything, None before they began."""
    return viewer.read_positions.filter(timeline=timeline).values_list("timeline_key", flat=True).first()


def key_of_post(post_id: int, *, viewer: Profile) -> int | None:
    """Return the key of a post on the viewer's timelines, None for what is on none."""
    return Post.objects.visible_to(viewer).filter(pk=post_id).values_list("timeline_key", flat=True).first()


def read_up_to(*, viewer: Profile, timeline: str, key: int) -> int:
    """Move a reader's position up to a key and return it; it never moves down, whichever device comes last."""
    table = ReadPosition._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS position (reader_id, timeline, timeline_key, updated_at)"
            " VALUES (%s, %s, %s, now()) ON CONFLICT (reader_id, timeline) DO UPDATE"
            " SET timeline_key = greatest(position.timeline_key, excluded.timeline_key), updated_at = now()"
            " RETURNING timeline_key",
            [viewer.pk, timeline, key],
        )
        return int(cursor.fetchone()[0])


def left_off_at(keys: list[int], *, position: int | None, before: int | None) -> int | None:
    """Return which post of a page is the first that was read already, if what came before it was not.

    `keys` are those of the page, newest first, and `before` the last of the page before it.
    """
    if position is None:
        return None
    first = next((index for index, key in enumerate(keys) if key <= position), None)
    if first == 0 and (before is None or before <= position):
        return None
    return first
