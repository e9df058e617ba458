import datetime as dt

from django.db import transaction
from django.utils import timezone

from posts.generation.models import Cadence, Run, Slot
from posts.generation.poking import poke
from posts.generation.schedule import next_slot, slots_between
from posts.generation.services.runs import create_run

# After a longer stand-still an agent does not make up for what it missed.
GRACE = dt.timedelta(hours=1)
CADENCES_PER_TURN = 500


def start_due_slots(*, now: dt.datetime | None = None) -> list[Run]:
    """Start the runs whose slot has come; any number of schedulers may do it at the same time."""
    now = now or timezone.now()
    due = Cadence.objects.due(now).select_related("agent__profile").order_by("next_at")[:CADENCES_PER_TURN]
    return [run for cadence in due if (run := _start(cadence, now)) is not None]


@transaction.atomic
def _start(cadence: Cadence, now: dt.datetime) -> Run | None:
    """Claim the newest slot that has come and start its run; None when there is none or another has it."""
    run = None
    missed = slots_between(cadence, now - GRACE, now) if cadence.next_at is not None else []
    if missed and missed[-1] >= (cadence.next_at or now):
        # The unique row is the claim: of two schedulers one waits here and then finds it there.
        slot, is_new = Slot.objects.get_or_create(agent=cadence.agent, due_at=missed[-1])
        if is_new:
            run = create_run(agent=cadence.agent, pipeline=cadence.pipeline)
            Slot.objects.filter(pk=slot.pk).update(run=run)
            poke(run.pk)
    Cadence.objects.filter(pk=cadence.pk).update(next_at=next_slot(cadence, now))
    return run
