from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Count, F, Q, Subquery, Window
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Left, Now, RowNumber, TruncDate

from agents.models import Agent
from posts.publishing.states import CLAIMABLE, ON_CALENDAR, Status

if TYPE_CHECKING:
    from agents.models import Profile
    from posts.publishing.models import Publication, PublicationEvent, RecurringPost, SocialAccount  # noqa: F401


# For the whole of a request to a network, reading the answer included.
LEASE_SECONDS = 30
# What a list shows of a text.
BEGINNING_LENGTH = 140
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
        # One owner either way, and so one scan of its index; a join would list an account once per agent.
        owner = Agent.objects.filter(profile=profile).values("owner")[:1]
        return self.filter(owner=Coalesce(Subquery(owner), profile.pk))

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

    def in_doubt(self) -> Self:
        """Rows of which a request may have left, and whose outcome a worker is going to find out."""
        return self.filter(status__in=(Status.SENDING, Status.UNKNOWN), due_at__isnull=False)

    def settled(self) -> Self:
        """Rows that no network is being asked about."""
        return self.exclude(status__in=(Status.SENDING, Status.UNKNOWN), due_at__isnull=False)

    def due(self, network: str) -> Self:
        return self.filter(network=network, status__in=CLAIMABLE, due_at__lte=Now())

    def in_flight(self, network: str) -> Self:
        """Rows that somebody holds: a request of theirs may be on its way."""
        return self.filter(network=network, lease_until__gt=Now())

    def in_lock_order(self) -> Self:
        """Lock rows in the order of their ids, as everybody locks several; `services.transitions` says why."""
        return self.order_by("pk").select_for_update(no_key=True, of=("self",))

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

    def for_calendar(self, owner: Profile, start: datetime, end: datetime, *, zone: ZoneInfo, per_day: int) -> Self:
        """The first so many of each local day in a range, by the `moment` they went out or are to go out.

        Annotates `day`, `day_count` (all of that day) and `beginning`, the text's; what went out at once has no
        scheduled time and is found by when it did.
        """
        scheduled = Q(status__in=ON_CALENDAR, scheduled_at__gte=start, scheduled_at__lt=end)
        at_once = Q(scheduled_at=None, published_at__gte=start, published_at__lt=end)
        moment = Coalesce("scheduled_at", "published_at")
        # The day's own expression, because a window cannot name another annotation's alias.
        day = TruncDate(moment, tzinfo=zone)
        return (
            self.filter(scheduled | at_once, owner=owner)
            .annotate(moment=moment, day=day, day_count=Window(Count("id"), partition_by=day))
            .alias(place=Window(RowNumber(), partition_by=day, order_by=[F("moment"), F("id")]))
            .filter(place__lte=per_day)
            .order_by("moment", "id")
            .for_glance()
        )

    def needing_attention(self) -> Self:
        """What went wrong, waits for a decision or for something else than its time."""
        states = (Status.PENDING_APPROVAL, Status.UNKNOWN, Status.FAILED, Status.QUEUED)
        return self.filter(status__in=states).exclude(status=Status.QUEUED, error_class="")

    def for_attention(self, owner: Profile) -> Self:
        return self.filter(owner=owner).needing_attention().order_by("-id").for_glance()

    def for_detail(self, owner: Profile) -> Self:
        """Load what the page of one publication shows to the owner of its account."""
        return (
            self.filter(owner=owner)
            .select_related("account", "author", "previous")
            .defer("fingerprint", "previous__fingerprint")
            .fetch_mode(models.FETCH_RAISE)
        )

    def for_glance(self) -> Self:
        """Load what a calendar or a queue shows of each: the beginning of its text, its account and its author."""
        fields = ("network", "status", "scheduled_at", "published_at", "due_at", "attempt", "previous", "owner")
        problem = ("error_class", "error_detail", "remote_url", "first_sent_at", "fence")
        account = ("handle", "network", "state", "scopes", "limits", "platform_user_id", "is_active")
        return (
            self.annotate(beginning=Left("text", BEGINNING_LENGTH))
            .select_related("account", "author")
            .only(*fields, *problem, *(f"account__{name}" for name in account), "author__handle", "author__kind")
            .fetch_mode(models.FETCH_RAISE)
        )

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
