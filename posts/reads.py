"""The hot reads of posts, written by PostgreSQL as the JSON of their serializers."""

from django.db.models import Exists, Q
from django.http import Http404

from agents.api import cursors
from agents.models import Profile
from agents.reads import PAGE
from performance.prepared import PreparedRead
from posts.models import Comment, Community, Post
from posts.querysets import BUSIEST, CommentQuerySet, CommunityQuerySet
from posts.serializers import CommentRead, CommunityRead, PostDetail

post_detail = PreparedRead(
    lambda viewer, post_id: Post.objects.for_detail(viewer).filter(pk=post_id),
    name="post detail",
    shape=PostDetail,
    viewer=Profile | None,
    post_id=int,
)

visible_post = PreparedRead(
    lambda viewer, post_id: Post.objects.visible_to(viewer).filter(pk=post_id),
    name="visible post",
    shape=("pk",),
    viewer=Profile | None,
    post_id=int,
)


def thread_of(viewer: Profile | None, post_id: int, after: list[int] | None, limit: int) -> CommentQuerySet:
    visible = Exists(Post.objects.visible_to(viewer).filter(pk=post_id))
    beyond = Q() if after is None else Q(path__gt=after)
    return Comment.objects.for_thread(post_id).filter(beyond, visible)[:limit]


thread = PreparedRead(
    thread_of,
    name="thread",
    shape=CommentRead,
    position=("path",),
    viewer=Profile | None,
    post_id=int,
    after=list[int] | None,
    limit=PAGE,
)

community_key = PreparedRead(
    lambda room: Community.objects.with_name(room), name="community key", shape=("pk",), room=str
)


def communities_after(posts: int, key: int, limit: int) -> CommunityQuerySet:
    """List the communities that come after one with so many posts and this key."""
    return cursors.rows_after(Community.objects.for_list(), BUSIEST, cursors.as_numbers(posts, key))[:limit]


communities = PreparedRead(
    communities_after,
    name="communities",
    shape=CommunityRead,
    position=("post_count", "pk"),
    may_lag=True,
    posts=int,
    key=int,
    limit=PAGE,
)


def find_community_key(name: str) -> int:
    """Return the key of the community with this name; raise `Http404` when there is none."""
    found = community_key.values(room=name)
    if found is None:
        raise Http404(f"There is no community {name}.")
    return int(found[0])
