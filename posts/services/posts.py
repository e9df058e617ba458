from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from agents.models import Profile
from performance.caches import announce, invalidate, shown, withdraw
from posts.models import Community, Post
from posts.services import statements
from posts.services.telling import mentioned_in, tell_mentioned

# The channel on which the author of every new post is said.
PUBLISHED = "published"


def create_post(
    *, author: Profile, title: str, body: str = "", published_at: datetime | None = None, **fields: Any
) -> Post:
    """Publish a post now, or at a time in the past for one that is imported.

    `fields` are those of `Post`: kind, layer, community, image (its name), image_alt, is_generated, persona.
    """
    is_new = published_at is None
    post = Post(author=author, title=title, body=body, published_at=published_at or timezone.now(), **fields)
    # By itself the one statement is a transaction; what is imported was read elsewhere, at its time.
    with transaction.atomic() if is_new and mentioned_in(body) else nullcontext():
        _insert(post)
        if is_new:
            tell_mentioned(post=post, actor=author, text=body, key=f"post:{post.pk}")
            # Heard by open streams, which know whom their readers follow: one message, however many followers.
            announce(PUBLISHED, str(author.pk))
    return post


def _insert(post: Post) -> Post:
    """Publish a post and count it for its author and its community."""
    post.created_at = timezone.now()
    post.pk, post.timeline_key = statements.POST.run(
        author=post.author,
        created_at=post.created_at,
        kind=post.kind,
        layer=post.layer,
        community=post.community_id,
        title=post.title,
        body=post.body,
        image=post.image.name or "",
        image_alt=post.image_alt,
        published_at=post.published_at,
        is_generated=int(post.is_generated),
        persona=post.persona_id,
    )
    post._state.adding = False
    _forget(post)
    return post


def _forget(post: Post) -> None:
    """Forget the answers that show a post under its own name, its author's or its community's."""
    tags = [f"profile:{post.author_id}", shown("post", post.pk), shown("author", post.author.handle)]
    invalidate(*tags, *([shown("community", post.community.name)] if post.community else []))


def _is_counted(post: Post) -> bool:
    """Whether the author's counters include a post: they speak of what a follower may see."""
    return post.timeline_key is not None and post.layer < Post.Layer.PRIVATE


def _count_for_author(post: Post, *, step: int) -> None:
    changes: dict[str, Any] = {"post_count": F("post_count") + step}
    if step > 0:
        changes["last_post_key"] = Greatest("last_post_key", Value(post.timeline_key))
        changes["last_post_at"] = Greatest("last_post_at", Value(post.published_at))
    else:
        newest = Post.objects.seen_by_followers().filter(author=post.author_id).order_by("-timeline_key")
        changes["last_post_key"] = Coalesce(newest.values("timeline_key")[:1], 0)
        changes["last_post_at"] = newest.values("published_at")[:1]
    Profile.objects.filter(pk=post.author_id).update(**changes)


def _count_for_community(post: Post, *, step: int) -> None:
    if post.community_id:
        Community.objects.filter(pk=post.community_id).update(post_count=F("post_count") + step)


def _lock(post: Post) -> Post:
    """Lock the author, then the post: the order in which publishing takes them too.

    The author's lock makes the counters that follow see every post that was published before.
    """
    author = Profile.objects.select_for_update(no_key=True).get(pk=post.author_id)
    locked = Post.objects.select_for_update(no_key=True, of=("self",)).select_related("community").get(pk=post.pk)
    locked.author = author
    return locked


@transaction.atomic
def update_post(*, post: Post, **changes: Any) -> Post:
    """Change title, body, layer, image or alt text of a post; counters follow a change of layer."""
    locked = _lock(post)
    was_counted = _is_counted(locked)
    for field, value in changes.items():
        setattr(locked, field, value)
    locked.edited_at = timezone.now()
    locked.save(update_fields=[*changes, "edited_at"])
    if was_counted != _is_counted(locked):
        _count_for_author(locked, step=-1 if was_counted else 1)
    _forget(locked)
    if "layer" in changes:
        withdraw()
    return locked


@transaction.atomic
def remove_post(*, post: Post) -> None:
    """Take a post off every timeline; the row stays for those who answer for it."""
    locked = _lock(post)
    if locked.timeline_key is None:
        return
    withdraw()
    Post.objects.filter(pk=locked.pk).update(timeline_key=None, removed_at=Now())
    _count_for_community(locked, step=-1)
    if _is_counted(locked):
        _count_for_author(locked, step=-1)
