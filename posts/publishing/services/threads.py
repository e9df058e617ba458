"""The parts of a thread: each waits for the one before it."""

from django.db.models.functions import Now

from posts.publishing.models import Publication
from posts.publishing.services.transitions import advance
from posts.publishing.states import OPEN, Status


def release_following(*, publication: Publication) -> None:
    """Make the next part due, now that this one is out."""
    Publication.objects.filter(previous=publication, status__in=(Status.SCHEDULED, Status.QUEUED)).update(due_at=Now())


def cancel_following(*, publication: Publication, reason: str) -> None:
    """Call off the parts after this one, in the caller's transaction: no thread is shown with a hole in it."""
    while following := Publication.objects.filter(previous=publication, status__in=OPEN).in_lock_order().first():
        advance(publication=following, to=Status.CANCELLED, reason=reason, due_at=None)
        publication = following
