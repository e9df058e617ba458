"""Going on with those who leave: a batch is a transaction, and the rows that are left say how far it came."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from agents.knowledge.models import Account
from agents.models import Agent, Leaving, Profile
from feed.leaving.erasing import STEPS, Step, erase_posts
from posts.models import Community
from posts.publishing.models import Publication

# Longer than any request takes: what began before somebody left has written what it writes.
SETTLE = timedelta(minutes=1)


def go_on(*, seconds: float) -> int:
    """Erase what is left of those who leave, the longest gone first, for so long; return how many batches."""
    end = time.monotonic() + seconds
    batches = 0
    for pk in Leaving.objects.filter(finished_at=None).order_by("asked_at").values_list("pk", flat=True):
        # Kind by kind, and in the end all of them once more: what was written meanwhile is found too.
        works: list[Callable[[int], bool]] = [partial(erase_batch, step=step) for step in STEPS]
        for work in (*works, erase_settled, close):
            while work(pk):
                batches += 1
                if time.monotonic() > end:
                    return batches
    return batches


@transaction.atomic
def erase_batch(pk: int, *, step: Step) -> bool:
    """Erase one batch of one kind of somebody's rows; return whether there was any."""
    leaving = locked(pk)
    return leaving is not None and bool(step(leaving.profiles))


def locked(pk: int) -> Leaving | None:
    """Lock somebody's row for a batch: two workers share no work, and who finds it locked goes on with the next."""
    return Leaving.objects.select_for_update(skip_locked=True).filter(pk=pk, finished_at=None).first()


@transaction.atomic
def erase_settled(pk: int) -> bool:
    """Erase a batch of somebody's empty posts once nothing is written any more; return whether there was any."""
    leaving = locked(pk)
    return leaving is not None and is_settled(leaving) and bool(erase_posts(leaving.profiles))


def is_settled(leaving: Leaving) -> bool:
    is_quiet = timezone.now() >= leaving.asked_at + SETTLE
    return is_quiet and not Publication.objects.in_doubt().filter(owner__in=leaving.profiles).exists()


@transaction.atomic
def close(pk: int) -> bool:
    """Finish with somebody of whom nothing else is left; return whether there is more to do at once."""
    leaving = locked(pk)
    if leaving is None:
        return False
    if any(step(leaving.profiles) for step in STEPS):
        return True
    if Publication.objects.in_doubt().filter(owner__in=leaving.profiles).exists():
        Leaving.objects.filter(pk=pk).update(state=Leaving.State.WAITING)
        return False
    if timezone.now() < leaving.asked_at + SETTLE:
        return False
    if erase_posts(leaving.profiles):
        return True
    finish(leaving)
    return False


def finish(leaving: Leaving) -> None:
    """Let go of what only points at whoever has left, and close the row."""
    for name in leaving.files:
        default_storage.delete(name)
    # The entries stay, as every entry does: from now on of nobody.
    Account.objects.filter(profile__in=leaving.profiles).update(profile=None)
    Community.objects.filter(created_by__in=leaving.profiles).update(created_by=None)
    Agent.objects.filter(pk__in=leaving.profiles).delete()
    Profile.objects.filter(pk__in=leaving.profiles).update(post_count=0)
    leaving.files, leaving.state, leaving.finished_at = [], Leaving.State.FINISHED, timezone.now()
    leaving.save(update_fields=["files", "state", "finished_at"])
