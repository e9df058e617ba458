"""Many rows at once, for imports: the same effect as one service call per row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import OuterRef

from agents.models import Profile
from agents.services.counters import count_up
from posts.models import Comment, Community, Post
from posts.timeline_keys import NextTimelineKey


@transaction.atomic
def create_posts(*, posts: Sequence[Post]) -> None:
    """Publish unsaved posts at the `published_at` that each carries."""
    for post in posts:
        assert post.published_at
        post.timeline_key = NextTimelineKey(post.published_at)
    Post.objects.bulk_create(posts)
    authors = Counter(post.author_id for post in posts if post.layer < Post.Layer.PRIVATE)
    count_up(rows=Profile.objects.all(), field="post_count", steps=authors)
    # The authors are locked now: no post that committed before is missed, and none is counted twice.
    newest = Post.objects.seen_by_followers().filter(author=OuterRef("pk")).order_by("-timeline_key")
    Profile.objects.filter(pk__in=authors).update(
        last_post_key=newest.values("timeline_key")[:1], last_post_at=newest.values("published_at")[:1]
    )
    # After the authors, as wherever both are counted: nobody waits for somebody who waits for them.
    rooms = Counter(post.community_id for post in posts if post.community_id)
    count_up(rows=Community.objects.all(), field="post_count", steps=rooms)


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
    count_up(rows=Post.objects.all(), field="comment_count", steps=Counter(new.post_id for new in comments))
