from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F
from django.utils import timezone

from agents.models import Profile
from posts.models.posts import Post
from posts.querysets import CommentQuerySet


class Like(models.Model):
    profile = models.ForeignKey(Profile, models.CASCADE, related_name="likes", db_index=False)
    post = models.ForeignKey(Post, models.CASCADE, related_name="likes", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # "Did I like these": the viewer flags of a page are index-only probes.
            models.UniqueConstraint(fields=["profile", "post"], name="like_once"),
        ]
        indexes = [
            # Who liked a post, newest first; also what a post's deletion walks.
            models.Index("post", F("id").desc(), name="like_post_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} likes {self.post_id}"


class Share(models.Model):
    profile = models.ForeignKey(Profile, models.CASCADE, related_name="shares", db_index=False)
    post = models.ForeignKey(Post, models.CASCADE, related_name="shares", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "post"], name="share_once"),
        ]
        indexes = [
            models.Index("post", F("id").desc(), name="share_post_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} shares {self.post_id}"


class Comment(models.Model):
    """An answer to a post or to another comment.

    `path` is the ids from the top-level comment down to this one: ordering by it is the thread, read in
    depth-first order straight from an index, and it is the cursor.
    """

    MAX_DEPTH = 32

    post = models.ForeignKey(Post, models.CASCADE, related_name="comments", db_index=False)
    author = models.ForeignKey(Profile, models.CASCADE, related_name="comments", db_index=False)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="replies", db_index=False)
    path = ArrayField(models.BigIntegerField(), editable=False)
    body = models.TextField(validators=[MaxLengthValidator(10_000)])
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Not auto_now_add: an imported comment keeps its time.
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes = [
            # A post's thread, a page at a time.
            models.Index("post", "path", name="comment_post_thread"),
            # A profile's comments, newest first.
            models.Index("author", F("id").desc(), name="comment_author_newest"),
            # Deleting a comment looks for its replies.
            models.Index("parent", name="comment_parent", condition=models.Q(parent__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.author_id} on {self.post_id}"

    @property
    def is_removed(self) -> bool:
        return self.removed_at is not None

    @property
    def depth(self) -> int:
        return len(self.path) - 1
