from datetime import time
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import transaction

from agents.models import Agent
from posts.publishing.models import PostingSlot, PublishingPolicy, SocialAccount

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def set_policy(*, agent: Agent, owner_approves: bool) -> None:
    """Say whether an agent's publications wait for its owner."""
    PublishingPolicy.objects.update_or_create(agent=agent, defaults={"owner_approves": owner_approves})


@transaction.atomic
def change_account(*, account: SocialAccount, time_zone: str | None = None, slots: list[str] | None = None) -> None:
    """Set an account's time zone, and its posting slots such as "mon 09:30".

    Raises `ValidationError` for a zone that does not exist.
    """
    if time_zone is not None:
        if time_zone not in available_timezones():
            raise ValidationError({"time_zone": "There is no such time zone."})
        account.time_zone = ZoneInfo(time_zone).key
        account.save(update_fields=["time_zone"])
    if slots is not None:
        # Two changes at once would otherwise leave the slots of both.
        SocialAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        PostingSlot.objects.filter(account=account).delete()
        PostingSlot.objects.bulk_create(
            PostingSlot(account=account, weekday=WEEKDAYS.index(slot[:3]), local_time=time.fromisoformat(slot[4:]))
            for slot in sorted(set(slots))
        )
