"""The queries of posts, comments and communities that must be quick."""

from agents.api import cursors
from performance.hot_queries import hot_query
from posts.models import Comment, Community, Like, Post
from posts.reads import communities_after


def newest_post() -> Post:
    return Post.objects.public().order_by("-timeline_key")[:1].get()


hot_query("post", index="posts_post_pkey", build=lambda: Post.objects.filter(pk=newest_post().pk).for_detail(None))
hot_query(
    "thread of a post", index="comment_post_thread", build=lambda: Comment.objects.for_thread(newest_post().pk)[:20]
)
hot_query(
    "community by name",
    index="community_name_lower_unique",
    build=lambda: Community.objects.with_name("general"),
)
hot_query("communities", index="community_busiest", build=lambda: communities_after(*cursors.BEFORE_ALL, 20))
hot_query(
    "who liked a post",
    index="like_post_newest",
    build=lambda: Like.objects.filter(post=newest_post()).order_by("-id")[:20],
)
