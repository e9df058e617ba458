"""Local times, and the next free one of an account's slots."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone

from posts.publishing.models import Publication, SocialAccount
from posts.publishing.states import Status

HORIZON_DAYS = 92


def moment_of(local: datetime, zone: str) -> datetime:
    """Return the moment of a wall-clock time in a zone.

    A time that the clocks skip is as much later as they skip; one that comes twice is the first of the two.
    Raises `ValidationError` for a zone that does not exist.
    """
    try:
        return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    except (KeyError, ValueError, OSError) as error:
        raise ValidationError("There is no such time zone.", code="time_zone") from error


def next_free_slot(*, account: SocialAccount, after: datetime | None = None) -> datetime:
    """Return the first slot of an account, within three months, that nothing is scheduled for.

    Raises `ValidationError` when the account has no slots or all of them are taken.
    """
    slots = list(account.slots.order_by("weekday", "local_time").values_list("weekday", "local_time"))
    if not slots:
        raise ValidationError("This account has no posting slots.", code="no_slots")
    after = after or timezone.now()
    taken = set(
        Publication.objects.filter(
            owner=account.owner_id,
            account=account,
            status__in=(Status.PENDING_APPROVAL, Status.SCHEDULED),
            scheduled_at__gte=after,
            scheduled_at__lt=after + timedelta(days=HORIZON_DAYS + 1),
        ).values_list("scheduled_at", flat=True)
    )
    today = after.astimezone(ZoneInfo(account.time_zone)).date()
    for days in range(HORIZON_DAYS):
        day = today + timedelta(days=days)
        for weekday, local_time in slots:
            if weekday != day.weekday():
                continue
            moment = moment_of(datetime.combine(day, local_time), account.time_zone)
            if moment > after and moment not in taken:
                return moment
    raise ValidationError("All slots of the next three months are taken.", code="no_free_slot")
