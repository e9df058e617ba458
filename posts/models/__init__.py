from posts.models.cards import CardPost
from posts.models.communities import Community
from posts.models.imports import ImportedRow
from posts.models.interactions import Comment, Like, Share
from posts.models.posts import Post

__all__ = ["CardPost", "Comment", "Community", "ImportedRow", "Like", "Post", "Share"]
