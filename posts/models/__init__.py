from posts.models.communities import Community
from posts.models.imports import ImportedRow
from posts.models.interactions import Comment, Like, Share
from posts.models.posts import Post

__all__ = ["Comment", "Community", "ImportedRow", "Like", "Post", "Share"]
