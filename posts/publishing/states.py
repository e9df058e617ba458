"""The states of a publication and the only ways from one to another."""

from django.db import models


class Status(models.TextChoices):
    """Where a publication is on its way out.

    `queued`: a worker may hold it, nothing has left the house. `sending`: a request may have left.
    `unknown`: a request left and nobody knows what became of it; it is read back, never blindly repeated.
    """

    DRAFT = "draft"
    PENDING_APPROVAL = "pending_approval"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"


S = Status

ALLOWED: dict[Status, frozenset[Status]] = {
    S.DRAFT: frozenset({S.PENDING_APPROVAL, S.SCHEDULED, S.QUEUED, S.CANCELLED}),
    S.PENDING_APPROVAL: frozenset({S.DRAFT, S.SCHEDULED, S.QUEUED, S.CANCELLED}),
    S.SCHEDULED: frozenset({S.SCHEDULED, S.QUEUED, S.CANCELLED, S.FAILED}),
    S.QUEUED: frozenset({S.QUEUED, S.SCHEDULED, S.SENDING, S.CANCELLED, S.FAILED}),
    S.SENDING: frozenset({S.PUBLISHED, S.QUEUED, S.UNKNOWN, S.FAILED}),
    S.UNKNOWN: frozenset({S.UNKNOWN, S.PUBLISHED, S.QUEUED, S.FAILED}),
    S.FAILED: frozenset({S.QUEUED, S.CANCELLED}),
    S.PUBLISHED: frozenset(),
    S.CANCELLED: frozenset(),
}

# What a worker may pick up once it is due.
CLAIMABLE = (S.SCHEDULED, S.QUEUED, S.SENDING, S.UNKNOWN)
# What has not begun to leave the house and can still be changed or called off.
OPEN = (S.DRAFT, S.PENDING_APPROVAL, S.SCHEDULED, S.QUEUED)
# What a calendar shows: everything that went out or still might.
ON_CALENDAR = (S.PENDING_APPROVAL, S.SCHEDULED, S.QUEUED, S.SENDING, S.UNKNOWN, S.PUBLISHED, S.FAILED)
