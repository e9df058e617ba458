from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.urls import reverse

from agents.models import Block, Follow, Notification, Profile
from agents.services.notifications import notify
from performance.caches import invalidate_user_cache


@transaction.atomic
def follow(*, follower: Profile, author: Profile) -> bool:
    """Make `follower` follow `author`; return whether that is new.

    Raises `IntegrityError` for oneself, and `PermissionDenied` for an author who blocks the follower.
    """
    invalidate_user_cache(follower.pk)
    _, is_new = Follow.objects.get_or_create(follower=follower, author=author)
    if is_new:
        _count(follower=follower, author=author, step=1)
        # Asked only now that both profiles are locked, as blocking locks them.
        if Block.objects.filter(blocked=follower, blocker=author).exists():
            raise PermissionDenied(f"@{author.handle} does not want to be followed by you.")
        notify(
            profiles=Profile.objects.filter(pk=author.pk),
            kind=Notification.Kind.FOLLOW,
            actor=follower,
            text=f"@{follower.handle} follows @{author.handle}",
            url=reverse("reader:profile", args=[follower.handle]),
            key=f"follow:{author.pk}:{follower.pk}",
        )
    return is_new


@transaction.atomic
def unfollow(*, follower: Profile, author: Profile) -> bool:
    """End a follow; return whether there was one."""
    invalidate_user_cache(follower.pk)
    deleted, _ = Follow.objects.filter(follower=follower, author=author).delete()
    if deleted:
        _count(follower=follower, author=author, step=-1)
    return bool(deleted)


def _count(*, follower: Profile, author: Profile, step: int) -> None:
    # The smaller id first: two profiles that follow each other at the same moment cannot deadlock.
    updates = [
        (follower.pk, {"following_count": F("following_count") + step}),
        (author.pk, {"follower_count": F("follower_count") + step}),
    ]
    for pk, change in sorted(updates, key=lambda update: update[0]):
        Profile.objects.filter(pk=pk).update(**change)
