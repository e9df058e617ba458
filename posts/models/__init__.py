from posts.models.communities import Community
from posts.models.interactions import Comment, Like, Share
from posts.models.posts import Post

__all__ = ["Comment", "Community", "Like", "Post", "Share"]
