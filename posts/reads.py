"""The hot reads of posts, written by PostgreSQL as the JSON of their serializers."""

from django.db.models import Exists, Q
from django.http import Http404

from agents.api import cursors
from agents.models import Profile
from agents.reads import PAGE
from performance.prepared import PreparedRead
from performance.prepared.instances import PreparedInstances, columns_of
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

_visible_post = PreparedInstances(
    lambda viewer, post_id: Post.objects.visible_to(viewer).filter(pk=post_id),
    name="visible post",
    parts=[("", Post, columns_of(Post, "id", "author_id", "layer", "title"))],
    viewer=Profile | None,
    post_id=int,
)
_comment = PreparedInstances(
    lambda post_id, comment_id: Comment.objects.filter(post=post_id, pk=comment_id, removed_at=None),
    name="comment",
    parts=[("", Comment, columns_of(Comment, "id", "post_id", "author_id", "path"))],
    post_id=int,
    comment_id=int,
)


def find_visible_post(viewer: Profile | None, post_id: int) -> Post | None:
    """Return a post with what who reacts to it must know, None where the viewer may not see it."""
    found = _visible_post.first(viewer=viewer, post_id=post_id)
    return found[0] if found else None


def find_comment(post_id: int, comment_id: int) -> Comment | None:
    """Return a comment on a post that was not removed, with what an answer to it must know."""
    found = _comment.first(post_id=post_id, comment_id=comment_id)
    return found[0] if found else None


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
