"""Taking one's data along: asked for, built by a worker, kept for a week. Killed at any point it is built again."""

from datetime import timedelta
from tempfile import TemporaryFile
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from agents.models import Notification, Profile
from agents.services.notifications import notify
from feed.exporting import write_archive
from feed.models import Export, exports_storage
from feed.poking import poke

LEASE = timedelta(minutes=1)
KEPT = timedelta(days=7)
MOST_ATTEMPTS = 5
TASK = "feed.tasks.build_exports"


class Overtaken(Exception):
    """Another worker builds this export by now."""


@transaction.atomic
def ask_for_export(*, owner: Profile) -> Export:
    """Have everything of a person's put into a file; who asks again while it is built gets that one.

    Raises `PermissionDenied` for an agent: what its owner wrote is not its own.
    """
    if owner.is_agent:
        raise PermissionDenied("Only the person who owns an agent may take its data along.")
    export, is_new = Export.objects.get_or_create(owner=owner, state=Export.State.ASKED)
    if is_new:
        transaction.on_commit(lambda: poke(TASK), robust=True)
        export.refresh_from_db()
    return export


def build_due() -> int:
    """Build every export that nobody builds; return how many."""
    number = 0
    while export := claim():
        number += build(export)
    return number


@transaction.atomic
def claim() -> Export | None:
    """Take the export that is due longest under a lease; give up one that was tried too often."""
    due = Export.objects.filter(state=Export.State.ASKED, lease_until__lte=Now()).order_by("lease_until")
    export = due.select_for_update(skip_locked=True, of=("self",)).select_related("owner").first()
    if export is None:
        return None
    # What a worker that died here had stored already.
    exports_storage().delete(name_of(export))
    if export.attempt >= MOST_ATTEMPTS:
        close(export, state=Export.State.FAILED, text="Your data could not be put into a file: please ask again.")
        return None
    export.attempt += 1
    export.lease_until = timezone.now() + LEASE
    export.save(update_fields=["attempt", "lease_until"])
    return export


def name_of(export: Export) -> str:
    return f"{export.pk}-{export.attempt}.zip"


def build(export: Export) -> bool:
    """Write the file of a claimed export; return whether it is this one that stays."""
    try:
        with TemporaryFile() as file:
            write_archive(export.owner, file, after_batch=lambda: hold(export))
            size = file.tell()
            name = exports_storage().save(name_of(export), File(file))
        close(export, state=Export.State.READY, text="Your data is ready to take along.", file=name, size_bytes=size)
    except Overtaken:
        exports_storage().delete(name_of(export))
        return False
    return True


def hold(export: Export) -> None:
    """Prolong the lease. Raises `Overtaken` when it went to somebody else, or the row is gone."""
    held = Export.objects.filter(pk=export.pk, attempt=export.attempt, state=Export.State.ASKED)
    if not held.update(lease_until=timezone.now() + LEASE):
        raise Overtaken


@transaction.atomic
def close(export: Export, *, state: Export.State, text: str, **changes: Any) -> None:
    """Write down what became of an export and tell its owner. Raises `Overtaken` as `hold` does."""
    hold(export)
    now = timezone.now()
    Export.objects.filter(pk=export.pk).update(state=state, finished_at=now, expires_at=now + KEPT, **changes)
    notify(
        profiles=Profile.objects.filter(pk=export.owner_id),
        kind=Notification.Kind.EXPORT,
        actor=None,
        text=text,
        url=reverse("reader:settings") + "#data",
        key=f"export:{export.pk}",
    )


def expire() -> int:
    """Delete the files whose week is over, each before the row that names it; return how many."""
    old = list(Export.objects.filter(expires_at__lte=Now()).order_by("expires_at")[:100])
    for export in old:
        export.file.delete(save=False)
    Export.objects.filter(pk__in=[export.pk for export in old]).delete()
    return len(old)
