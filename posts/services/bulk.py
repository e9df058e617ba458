"""Many rows at once, for imports: the same effect as one service call per row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from posts.models import Comment, Post
from posts.services.counters import recount_authors, recount_comments, recount_communities
from posts.timeline_keys import NextTimelineKey


@transaction.atomic
def create_posts(*, posts: Sequence[Post]) -> None:
    """Publish unsaved posts at the `published_at` that each carries."""
    for post in posts:
        assert post.published_at
        post.timeline_key = NextTimelineKey(post.published_at)
    Post.objects.bulk_create(posts)
    recount_communities(community_ids={post.community_id for post in posts if post.community_id})
    recount_authors(profile_ids={post.author_id for post in posts})


@dataclass(frozen=True, slots=True)
class NewComment:
    """A comment under a known id (see `draw_comment_ids`); `ancestors` is the path of its parent."""

    pk: int
    post_id: int
    author_id: int
    ancestors: list[int]
    body: str
    created_at: datetime


def draw_comment_ids(count: int) -> list[int]:
    """Return so many unused comment ids: a reply's path holds the id of a parent that is not stored yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [Comment._meta.db_table, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


@transaction.atomic
def create_comments(*, comments: Sequence[NewComment]) -> None:
    """Store comments, parents before or beside their replies, with the times they carry."""
    Comment.objects.bulk_create(
        Comment(
            pk=new.pk,
            post_id=new.post_id,
            author_id=new.author_id,
            parent_id=new.ancestors[-1] if new.ancestors else None,
            path=[*new.ancestors, new.pk],
            body=new.body,
            created_at=new.created_at,
        )
        for new in comments
    )
    recount_comments(post_ids={new.post_id for new in comments})
