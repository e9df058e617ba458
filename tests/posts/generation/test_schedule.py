import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from agents.models import Agent
from posts.generation import poking
from posts.generation.models import Cadence, Run, Slot
from posts.generation.schedule import next_slot, slots_between
from posts.generation.services.slots import start_due_slots
from tests.concurrency import run_together

MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poking, "send", lambda run_id: True)


def cadence_of(agent: Agent, **fields: Any) -> Cadence:
    return Cadence.objects.create(agent=agent, **fields)


def local_times(cadence: Cadence, start: dt.datetime, days: int) -> list[str]:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(cadence.time_zone)
    return [f"{slot.astimezone(zone):%H:%M}" for slot in slots_between(cadence, start, start + days * DAY)]


def test_every_so_many_hours_keeps_its_distance(wren: Agent) -> None:
    slots = slots_between(cadence_of(wren, every_hours=6), MONDAY, MONDAY + 3 * DAY)
    assert len(slots) == 12
    assert {later - earlier for earlier, later in zip(slots, slots[1:], strict=False)} == {dt.timedelta(hours=6)}


def test_slots_are_local_times_through_a_clock_change(wren: Agent) -> None:
    cadence = cadence_of(wren, slots=[9 * 60, 18 * 60 + 30], time_zone="Europe/Berlin")
    before_summer_time = dt.datetime(2026, 3, 28, tzinfo=dt.UTC)
    assert local_times(cadence, before_summer_time, 3) == ["09:00", "18:30"] * 3


def test_nothing_is_due_in_quiet_hours_across_midnight(wren: Agent) -> None:
    cadence = cadence_of(wren, every_hours=1, quiet_from_hour=22, quiet_until_hour=7, time_zone="Asia/Tokyo")
    hours = {int(time[:2]) for time in local_times(cadence, MONDAY, 2)}
    assert hours == set(range(7, 22))


def test_jitter_stays_in_bounds_and_is_the_same_for_every_scheduler(wren: Agent) -> None:
    cadence = cadence_of(wren, slots=[12 * 60], jitter_minutes=20)
    slots = slots_between(cadence, MONDAY, MONDAY + 30 * DAY)
    assert slots == slots_between(cadence, MONDAY, MONDAY + 30 * DAY) and len(slots) == 30
    noons = [dt.datetime.combine(slot.date(), dt.time(12), dt.UTC) for slot in slots]
    shifts = [abs(slot - noon) for slot, noon in zip(slots, noons, strict=True)]
    assert max(shifts) <= dt.timedelta(minutes=20) and len(set(shifts)) > 10


def test_a_due_slot_starts_one_run_and_the_next_is_planned(wren: Agent) -> None:
    cadence = cadence_of(wren, slots=[12 * 60])
    start_due_slots(now=MONDAY)
    cadence.refresh_from_db()
    assert cadence.next_at == MONDAY + dt.timedelta(hours=12) and not Run.objects.exists()
    noon = MONDAY + dt.timedelta(hours=12, minutes=1)
    assert len(start_due_slots(now=noon)) == 1
    assert start_due_slots(now=noon) == []
    cadence.refresh_from_db()
    assert cadence.next_at == MONDAY + dt.timedelta(hours=36)
    assert Slot.objects.get().run == Run.objects.get()


def test_what_a_stand_still_missed_is_not_made_up_for(wren: Agent) -> None:
    cadence_of(wren, every_hours=1, next_at=MONDAY)
    assert len(start_due_slots(now=MONDAY + 5 * DAY)) == 1


def test_an_agent_that_is_not_active_does_not_write(wren: Agent) -> None:
    cadence_of(wren, every_hours=1, next_at=MONDAY)
    Agent.objects.filter(pk=wren.pk).update(is_active=False)
    assert start_due_slots(now=MONDAY + DAY) == []


@pytest.mark.django_db(transaction=True)
def test_of_many_schedulers_one_gets_the_slot(wren: Agent) -> None:
    cadence_of(wren, slots=[12 * 60], next_at=MONDAY + dt.timedelta(hours=12))
    noon = MONDAY + dt.timedelta(hours=12, minutes=1)
    started = run_together(8, lambda number: len(start_due_slots(now=noon)))
    assert sum(started) == Run.objects.count() == Slot.objects.count() == 1


def test_a_cadence_without_times_never_comes(wren: Agent) -> None:
    assert next_slot(cadence_of(wren), MONDAY) is None


def test_the_simulation_writes_nothing(wren: Agent) -> None:
    cadence_of(wren, every_hours=12, daily_tokens=0)
    out = StringIO()
    call_command("simulate_schedule", days=7, stdout=out)
    assert "14 runs" in out.getvalue() and "@wren" in out.getvalue()
    assert not Run.objects.exists() and not Slot.objects.exists()
