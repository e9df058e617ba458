"""The one way a publication changes its state: conditional, fenced, and written down.

Whoever locks several rows in one transaction takes them in this order, so that no two wait for each other: the owner's
profile, the account, the recurring post, publications by id, rate buckets by key, figures, daily sums by account and
day. The parts of a thread have ascending ids, so that going from one to the next keeps it. Claims skip what is locked
and wait for no publication. All but the batch that writes remote ids lock without the key (`FOR NO KEY UPDATE`), which
lets others refer to the row.
"""

from typing import Any

from django.db import transaction

from agents.models import Profile
from posts.publishing.models import Publication, PublicationEvent
from posts.publishing.querysets import PublicationQuerySet
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


@transaction.atomic(savepoint=False)
def advance_all(
    *, rows: PublicationQuerySet, to: Status, reason: str, actor: Profile | None = None, **changes: Any
) -> int:
    """Move all of a query set to another state, in a handful of statements however many; return how many.

    Those that move on by themselves while this waits for them are left alone. Raises `ValueError` for a transition
    that does not exist.
    """
    before = {pk: Status(status) for pk, status in rows.in_lock_order().values_list("pk", "status")}
    if impossible := {status for status in before.values() if to not in ALLOWED[status]}:
        raise ValueError(f"{impossible} -> {to} is not a transition.")
    Publication.objects.filter(pk__in=before).update(status=to, **changes)
    PublicationEvent.objects.bulk_create(
        (
            PublicationEvent(publication_id=pk, from_status=status, to_status=to, actor=actor, reason=reason[:300])
            for pk, status in before.items()
        ),
        batch_size=1000,
    )
    return len(before)
