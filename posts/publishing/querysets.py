from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from posts.publishing.states import CLAIMABLE, Status

if TYPE_CHECKING:
    from agents.models import Profile
    from posts.publishing.models import Publication, PublicationEvent, RecurringPost, SocialAccount  # noqa: F401


# For the whole of a request to a network, reading the answer included.
LEASE_SECONDS = 30
# Two clocks may differ by so much, and the published moment of a post is the network's.
TAKEN_MARGIN = timedelta(minutes=5)


def lease_end(seconds: float = LEASE_SECONDS) -> CombinedExpression:
    """Return the end of a lease that starts now, by the database's clock."""
    return Now() + timedelta(seconds=seconds)


class SocialAccountQuerySet(models.QuerySet["SocialAccount"]):
    def connected(self) -> Self:
        return self.exclude(state="disconnected")

    def active(self) -> Self:
        return self.filter(is_active=True)

    def usable_by(self, profile: Profile) -> Self:
        """The accounts of a person; an agent uses those of its owner."""
        return self.filter(Q(owner=profile) | Q(owner__agents__profile=profile))

    def for_list(self, profile: Profile) -> Self:
        return self.usable_by(profile).connected().order_by("-id").fetch_mode(models.FETCH_RAISE)


class PublicationQuerySet(models.QuerySet["Publication"]):
    def usable_by(self, profile: Profile) -> Self:
        """A person sees what goes out through their accounts; an agent sees what it wrote."""
        return self.filter(Q(owner=profile) | Q(author=profile))

    def in_range(self, start: datetime, end: datetime) -> Self:
        return self.filter(scheduled_at__gte=start, scheduled_at__lt=end)

    def published(self) -> Self:
        return self.filter(status=Status.PUBLISHED)

    def awaiting_review(self) -> Self:
        """Rows whose outcome no machine can find out: their owner has to say."""
        return self.filter(status=Status.UNKNOWN, due_at=None)

    def due(self, network: str) -> Self:
        return self.filter(network=network, status__in=CLAIMABLE, due_at__lte=Now())

    def in_flight(self, network: str) -> Self:
        """Rows that somebody holds: a request of theirs may be on its way."""
        return self.filter(network=network, lease_until__gt=Now())

    def put_back(self, *, seconds: float) -> int:
        """Give rows up that were claimed but not begun; they are due again after so many seconds."""
        return self.update(due_at=lease_end(seconds), lease_until=None, celery_task="")

    def taken_on(self, publication: Publication) -> frozenset[str]:
        """The remote ids that others of the account's publications hold since this one's first attempt."""
        since = (publication.first_sent_at or publication.created_at) - TAKEN_MARGIN
        others = self.filter(owner=publication.owner_id, account=publication.account_id, published_at__gte=since)
        return frozenset(others.values_list("remote_id", flat=True))  # type: ignore[arg-type]

    def for_list(self, profile: Profile) -> Self:
        return self.usable_by(profile).select_related("account").order_by("-id").fetch_mode(models.FETCH_RAISE)

    def for_sending(self) -> Self:
        """Load what a network needs to send, so that no query runs while it is being talked to."""
        return self.select_related("account", "previous").order_by("due_at").fetch_mode(models.FETCH_RAISE)


class PublicationEventQuerySet(models.QuerySet["PublicationEvent"]):
    def for_history(self, publication: Publication) -> Self:
        return (
            self.filter(publication=publication).select_related("actor").order_by("id").fetch_mode(models.FETCH_RAISE)
        )


class RecurringPostQuerySet(models.QuerySet["RecurringPost"]):
    def usable_by(self, profile: Profile) -> Self:
        """A person sees what goes out through their accounts; an agent sees what it wrote."""
        return self.filter(Q(owner=profile) | Q(author=profile))

    def due(self) -> Self:
        """Those whose next turn a scheduler has to put into the calendar."""
        return self.filter(is_active=True, look_at__lte=Now())

    def for_list(self, profile: Profile) -> Self:
        return self.usable_by(profile).order_by("-id").fetch_mode(models.FETCH_RAISE)
