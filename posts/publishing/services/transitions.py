"""The one way a publication changes its state: conditional, fenced, and written down."""

from typing import Any

from django.db import transaction

from agents.models import Profile
from posts.publishing.models import Publication, PublicationEvent
from posts.publishing.states import ALLOWED, Status


class Overtaken(Exception):
    """Somebody else changed the row first; whoever reads this must not act on what they knew."""


@transaction.atomic(savepoint=False)
def advance(
    *,
    publication: Publication,
    to: Status,
    reason: str,
    actor: Profile | None = None,
    **changes: Any,
) -> None:
    """Move a publication from the state it was loaded in to another one, and write the event.

    Raises `Overtaken` when the row has moved on and `ValueError` for a transition that does not exist.
    """
    before = Status(publication.status)
    if to not in ALLOWED[before]:
        raise ValueError(f"{before} -> {to} is not a transition.")
    row = Publication.objects.filter(pk=publication.pk, status=before, fence=publication.fence)
    if not row.update(status=to, **changes):
        raise Overtaken(f"{publication.pk} is no longer {before}.")
    PublicationEvent.objects.create(
        publication=publication, from_status=before, to_status=to, actor=actor, reason=reason[:300]
    )
    publication.status = to
