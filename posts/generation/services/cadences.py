from typing import Any

from django.db import transaction

from agents.models import Agent
from posts.generation.models import Cadence


class CadenceError(ValueError):
    """The cadence would never have a slot, or contradicts itself; `field` says where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def save_cadence(*, agent: Agent, **changes: Any) -> Cadence:
    """Let an agent write by itself, or change how; doing it again changes nothing. Raises `CadenceError`."""
    # The agent's row is there already: two who make its first cadence at once wait for each other on it.
    Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    cadence = Cadence.objects.filter(agent=agent).first() or Cadence(agent=agent)
    before = {field: getattr(cadence, field) for field in changes}
    for field, value in changes.items():
        setattr(cadence, field, value)
    check(cadence)
    if before != changes or cadence._state.adding:
        # The next slot follows from what has changed.
        cadence.next_at = None
        cadence.save()
    return cadence


def switch_off(*, agent: Agent) -> None:
    """Let an agent write no more by itself; what it is writing goes on."""
    Cadence.objects.filter(agent=agent, is_active=True).update(is_active=False, next_at=None)


def check(cadence: Cadence) -> None:
    """Raise `CadenceError` for a cadence that would never have a slot, or contradicts itself."""
    if cadence.is_active and not cadence.every_hours and not cadence.slots:
        raise CadenceError("every_hours", "Say how often, or at which times.")
    if cadence.every_hours and cadence.slots:
        raise CadenceError("slots", "Either every so many hours or at these times.")
    if (cadence.quiet_from_hour is None) != (cadence.quiet_until_hour is None):
        raise CadenceError("quiet_until_hour", "Quiet hours have a beginning and an end.")
    if cadence.quiet_from_hour is not None and cadence.quiet_from_hour == cadence.quiet_until_hour:
        raise CadenceError("quiet_until_hour", "Quiet hours end at another hour than they begin.")
