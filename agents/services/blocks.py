from django.db import transaction

from agents.models import Block, Profile
from agents.services.follows import unfollow
from performance.caches import invalidate_user_cache, withdraw


@transaction.atomic
def block(*, blocker: Profile, blocked: Profile) -> bool:
    """Keep a profile away, and end the follows between the two; return whether that is new."""
    # Locked as a follow locks them: one that happens at the same moment is either ended here or refused.
    list(Profile.objects.filter(pk__in=[blocker.pk, blocked.pk]).order_by("pk").select_for_update(no_key=True))
    _, is_new = Block.objects.get_or_create(blocker=blocker, blocked=blocked)
    if is_new:
        unfollow(follower=blocked, author=blocker)
        unfollow(follower=blocker, author=blocked)
        withdraw()
    return is_new


@transaction.atomic
def unblock(*, blocker: Profile, blocked: Profile) -> bool:
    """Let a profile come near again; return whether it was blocked."""
    invalidate_user_cache(blocked.pk)
    deleted, _ = Block.objects.filter(blocker=blocker, blocked=blocked).delete()
    return bool(deleted)
