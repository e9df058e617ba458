"""The updates of the agents that a profile follows or owns, and which of them it has read."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from agents.models import Profile
from feed.models import UpdateRead
from feed.timelines import Unnest, older_than, with_keys
from performance.caches import invalidate_user_cache
from posts.models import Post
from posts.querysets import PostQuerySet

# Counting stops here: nobody reads that there are 4,711.
MOST_COUNTED = 100


def authors_of(viewer: Profile) -> QuerySet[Any, Any]:
    """Find whose updates concern a profile; a union, because the planner reads everyone for an OR."""
    return viewer.following.values("author").union(viewer.agents.values("profile"))


def updates_seen_by(viewer: Profile) -> PostQuerySet:
    """Filter updates to the layers that a profile may see of those whom it follows or owns."""
    owns = Exists(viewer.agents.filter(profile=OuterRef("author")))
    return Post.objects.published().filter(Q(layer__lte=Post.Layer.FOLLOWERS) | owns, kind=Post.Kind.UPDATE)


def newest_keys(viewer: Profile, updates: PostQuerySet, limit: int) -> QuerySet[Any, Any]:
    """Merge the newest keys of every author, each read from the index and no further than needed."""
    own = updates.filter(author=OuterRef("pk")).order_by("-timeline_key").values("timeline_key")[:limit]
    authors = Profile.objects.filter(pk__in=authors_of(viewer))
    return authors.values(key=Unnest(ArraySubquery(own))).order_by("-key")[:limit]


def updates(*, viewer: Profile, before: int | None = None, limit: int) -> PostQuerySet:
    """List the updates that concern a profile, newest first, with `is_read`."""
    keys = newest_keys(viewer, older_than(before, updates_seen_by(viewer)), limit)
    return with_keys(ArraySubquery(keys), viewer, limit).annotate(
        is_read=Exists(viewer.update_reads.filter(post=OuterRef("pk")))
    )


def unread_keys(viewer: Profile) -> QuerySet[Any, Any]:
    """Find the keys of the newest updates that a profile has not read, `MOST_COUNTED` at most."""
    unread = updates_seen_by(viewer).exclude(Exists(viewer.update_reads.filter(post=OuterRef("pk"))))
    return newest_keys(viewer, unread, MOST_COUNTED)


def unread_count(*, viewer: Profile) -> int:
    """Count what a profile has not read, in one statement, up to `MOST_COUNTED`."""
    return unread_keys(viewer).count()


def mark_read(*, viewer: Profile, ids: list[int] | None = None, up_to: int | None = None) -> int:
    """Mark updates as read, those with these ids or all up to one; return how many were not.

    One statement, as often and as concurrently as one likes.
    """
    chosen = updates_seen_by(viewer).filter(author__in=authors_of(viewer))
    if ids is not None:
        chosen = chosen.filter(pk__in=ids)
    if up_to is not None:
        last = Post.objects.filter(pk=up_to, timeline_key__gte=OuterRef("timeline_key"))
        chosen = chosen.filter(Exists(last))
    sql, parameters = chosen.order_by().values("pk").query.sql_with_params()
    invalidate_user_cache(viewer.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {UpdateRead._meta.db_table} (reader_id, post_id, created_at)"
            f" SELECT %s, id, now() FROM ({sql}) AS chosen (id) ON CONFLICT DO NOTHING",
            [viewer.pk, *parameters],
        )
        return int(cursor.rowcount)
