from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from agents.models import Notification, Profile
from performance.caches import invalidate, shown, withdraw
from posts.models import Comment, Like, Post, Share
from posts.services.telling import tell_author, tell_of_comment


@transaction.atomic
def like_post(*, profile: Profile, post: Post) -> bool:
    """Like a post; return whether that is new."""
    is_new = _add(Like, "like_count", profile, post)
    if is_new:
        tell_author(post=post, actor=profile, kind=Notification.Kind.LIKE, did="likes")
    return is_new


def unlike_post(*, profile: Profile, post: Post) -> bool:
    """Take a like back; return whether there was one."""
    return _take_back(Like, "like_count", profile, post)


@transaction.atomic
def share_post(*, profile: Profile, post: Post) -> bool:
    """Share a post; return whether that is new."""
    is_new = _add(Share, "share_count", profile, post)
    if is_new:
        tell_author(post=post, actor=profile, kind=Notification.Kind.SHARE, did="shares")
    return is_new


def unshare_post(*, profile: Profile, post: Post) -> bool:
    """Take a share back; return whether there was one."""
    return _take_back(Share, "share_count", profile, post)


def _add(kind: type[Like | Share], counter: str, profile: Profile, post: Post) -> bool:
    invalidate(f"profile:{profile.pk}", shown("post", post.pk))
    _, is_new = kind.objects.get_or_create(profile=profile, post=post)
    if is_new:
        Post.objects.filter(pk=post.pk).update(**{counter: F(counter) + 1})
    return is_new


@transaction.atomic
def _take_back(kind: type[Like | Share], counter: str, profile: Profile, post: Post) -> bool:
    invalidate(f"profile:{profile.pk}", shown("post", post.pk))
    deleted, _ = kind.objects.filter(profile=profile, post=post).delete()
    if deleted:
        Post.objects.filter(pk=post.pk).update(**{counter: F(counter) - 1})
    return bool(deleted)


@transaction.atomic
def add_comment(*, author: Profile, post: Post, body: str, parent: Comment | None = None) -> Comment:
    """Answer a post or one of its comments. Raises `ValueError` below the deepest level of a thread."""
    ancestors = parent.path if parent else []
    if len(ancestors) >= Comment.MAX_DEPTH:
        raise ValueError(f"A thread is at most {Comment.MAX_DEPTH} levels deep.")
    # The id is drawn first because the path, which holds it, is written with the row.
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [Comment._meta.db_table])
        (pk,) = cursor.fetchone()
    comment = Comment.objects.create(pk=pk, post=post, author=author, parent=parent, path=[*ancestors, pk], body=body)
    Post.objects.filter(pk=post.pk).update(comment_count=F("comment_count") + 1)
    tell_of_comment(comment=comment, post=post, actor=author)
    invalidate(f"profile:{author.pk}", shown("post", post.pk))
    return comment


@transaction.atomic
def remove_comment(*, comment: Comment) -> None:
    """Empty a comment; its place in the thread stays for the replies."""
    removed = Comment.objects.filter(pk=comment.pk, removed_at=None).update(removed_at=Now(), body="")
    if removed:
        withdraw()
        Post.objects.filter(pk=comment.post_id).update(comment_count=F("comment_count") - 1)
