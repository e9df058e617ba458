"""What waits to be read, counted in one statement over indexes that hold nothing else."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, QuerySet, Value

from agents.inbox.models import Member
from agents.models import Notification, Profile
from feed.updates import MOST_COUNTED, unread_keys
from performance.prepared import PreparedRead

KINDS = ("notifications", "conversations", "updates")
UNREAD = tuple(f"{kind}_unread" for kind in KINDS)


class Cardinality(Func):
    """Count the elements of an array: unlike COUNT it stops where the array was cut off."""

    function = "cardinality"
    arity = 1
    output_field = IntegerField()


def unread_of(viewer: Profile | None) -> dict[str, Any]:
    """Return what to annotate to count what each kind has unread; `MOST_COUNTED` stands for that many or more."""
    if viewer is None:
        return dict.fromkeys(UNREAD, Value(0))
    notifications = Notification.objects.unread().filter(profile=viewer).values("pk")
    conversations = Member.objects.unread().filter(profile=viewer).values("pk")
    return {
        "notifications_unread": Cardinality(ArraySubquery(notifications[:MOST_COUNTED])),
        "conversations_unread": Cardinality(ArraySubquery(conversations[:MOST_COUNTED])),
        "updates_unread": Cardinality(ArraySubquery(unread_keys(viewer))),
    }


def with_unread(viewer: Profile) -> QuerySet[Profile, Any]:
    """Find the viewer with the number of what each kind has unread."""
    return Profile.objects.filter(pk=viewer.pk).annotate(**unread_of(viewer))


_counts = PreparedRead(lambda viewer: with_unread(viewer), name="unread counts", shape=UNREAD, viewer=Profile)


def unread_counts(viewer: Profile) -> dict[str, int]:
    """Count what a profile has not read, per kind."""
    return dict(zip(KINDS, _counts.values(viewer=viewer.pk) or (0, 0, 0), strict=True))
