from contextlib import nullcontext

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from agents.models import Notification, Profile
from performance.caches import invalidate, shown, withdraw
from performance.prepared import PreparedWrite
from posts.models import Comment, Post
from posts.services import statements
from posts.services.telling import address_of, mentioned_in, tell_mentioned, told_of_comment


def like_post(*, profile: Profile, post: Post) -> bool:
    """Like a post and tell its author; return whether that is new."""
    return _add(statements.LIKE, profile, post, kind=Notification.Kind.LIKE, did="likes")


def unlike_post(*, profile: Profile, post: Post) -> bool:
    """Take a like back; return whether there was one."""
    return _take_back(statements.UNLIKE, profile, post)


def share_post(*, profile: Profile, post: Post) -> bool:
    """Share a post and tell its author; return whether that is new."""
    return _add(statements.SHARE, profile, post, kind=Notification.Kind.SHARE, did="shares")


def unshare_post(*, profile: Profile, post: Post) -> bool:
    """Take a share back; return whether there was one."""
    return _take_back(statements.UNSHARE, profile, post)


def _add(statement: PreparedWrite, profile: Profile, post: Post, *, kind: Notification.Kind, did: str) -> bool:
    is_new, told = statement.run(
        profile=profile,
        post=post,
        kind=kind,
        text=f"@{profile.handle} {did} “{post.title}”",
        url=address_of(post),
        # Once per person, however often they change their mind.
        key=f"{kind}:{post.pk}:{profile.pk}",
    )
    _forget(post, profile.pk, *told)
    return bool(is_new)


def _take_back(statement: PreparedWrite, profile: Profile, post: Post) -> bool:
    (was_there,) = statement.run(profile=profile, post=post)
    _forget(post, profile.pk)
    return bool(was_there)


def _forget(post: Post, *profile_ids: int) -> None:
    """Forget the answers that show a post under its own name, and what these profiles see."""
    invalidate(shown("post", post.pk), *(f"profile:{pk}" for pk in profile_ids))


def add_comment(*, author: Profile, post: Post, body: str, parent: Comment | None = None) -> Comment:
    """Answer a post or one of its comments, and tell who is answered or mentioned.

    Raises `ValueError` below the deepest level of a thread.
    """
    if parent and len(parent.path) >= Comment.MAX_DEPTH:
        raise ValueError(f"A thread is at most {Comment.MAX_DEPTH} levels deep.")
    # By itself the one statement is a transaction.
    with transaction.atomic() if mentioned_in(body) else nullcontext():
        comment = _add_comment(author, post, body, parent)
        # Under the key of the comment: who is told of it already is not told again.
        tell_mentioned(post=post, actor=author, text=body, key=f"comment:{comment.pk}")
    return comment


def _add_comment(author: Profile, post: Post, body: str, parent: Comment | None) -> Comment:
    comment = Comment(post=post, author=author, parent=parent, body=body, created_at=timezone.now())
    ancestors = parent.path if parent else []
    comment.pk, told = statements.COMMENT.run(
        profile=author,
        post=post,
        parent=parent,
        ancestors=ancestors,
        body=body,
        created_at=comment.created_at,
        told=told_of_comment(post=post, parent=parent),
        kind=Notification.Kind.COMMENT,
        text=f"@{author.handle} comments on “{post.title}”",
        url=address_of(post),
    )
    comment.path = [*ancestors, comment.pk]
    comment._state.adding = False
    _forget(post, author.pk, *told)
    return comment


@transaction.atomic
def remove_comment(*, comment: Comment) -> None:
    """Empty a comment; its place in the thread stays for the replies."""
    removed = Comment.objects.filter(pk=comment.pk, removed_at=None).update(removed_at=Now(), body="")
    if removed:
        withdraw()
        Post.objects.filter(pk=comment.post_id).update(comment_count=F("comment_count") - 1)
