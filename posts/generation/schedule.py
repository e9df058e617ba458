"""When an agent writes by itself: pure functions of its cadence, so that every scheduler computes the same slots."""

import datetime as dt
import hashlib
import heapq
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from posts.generation.models import Cadence

# Looked at one after the other: most agents write within two days, and the slowest once a week.
HORIZONS = (2, 10, 36)


def slots_between(cadence: Cadence, start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    """Return the slots after `start` and up to `end`, in order, jitter included, quiet hours left out."""
    margin = dt.timedelta(minutes=cadence.jitter_minutes, days=1)
    nominal = (
        _at_times(cadence, start - margin, end + margin) if cadence.slots else _every(cadence, start - margin, end)
    )
    moved = (moment + _jitter(cadence, moment) for moment in nominal if not _is_quiet(cadence, moment))
    return sorted(moment for moment in moved if start < moment <= end)


def next_slots(cadence: Cadence, after: dt.datetime, *, most: int) -> list[dt.datetime]:
    """Return the first slots after a moment, fewer than asked for when there are not as many within five weeks."""
    slots: list[dt.datetime] = []
    for days in HORIZONS:
        slots = slots_between(cadence, after, after + dt.timedelta(days=days))
        if len(slots) >= most:
            break
    return slots[:most]


def next_slot(cadence: Cadence, after: dt.datetime) -> dt.datetime | None:
    """Return the first slot after a moment, or None when there is none within five weeks."""
    return next(iter(next_slots(cadence, after, most=1)), None)


def merged(cadences: list[Cadence], start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, Cadence]]:
    """Yield the slots of many agents in order of time."""
    lists = ([(slot, cadence.pk, cadence) for slot in slots_between(cadence, start, end)] for cadence in cadences)
    for slot, _, cadence in heapq.merge(*lists):
        yield slot, cadence


def _every(cadence: Cadence, start: dt.datetime, end: dt.datetime) -> Iterator[dt.datetime]:
    """Yield every so many hours; agents with the same cadence are spread over it."""
    if not cadence.every_hours:
        return
    period = cadence.every_hours * 3600
    offset = _number(cadence, "offset") % period // 60 * 60
    number = int(start.timestamp() - offset) // period
    while (moment := dt.datetime.fromtimestamp(number * period + offset, dt.UTC)) <= end:
        yield moment
        number += 1


def _at_times(cadence: Cadence, start: dt.datetime, end: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the local times of each day. A time that a clock change skips is moved, one that it repeats comes once."""
    zone = ZoneInfo(cadence.time_zone)
    day = start.astimezone(zone).date()
    while day <= end.astimezone(zone).date():
        for minutes in sorted(set(cadence.slots)):
            local = dt.datetime.combine(day, dt.time(minutes // 60, minutes % 60), zone)
            yield local.astimezone(dt.UTC)
        day += dt.timedelta(days=1)


def _is_quiet(cadence: Cadence, moment: dt.datetime) -> bool:
    start, end = cadence.quiet_from_hour, cadence.quiet_until_hour
    if start is None or end is None:
        return False
    hour = moment.astimezone(ZoneInfo(cadence.time_zone)).hour
    return start <= hour < end if start <= end else hour >= start or hour < end


def _jitter(cadence: Cadence, moment: dt.datetime) -> dt.timedelta:
    """Return a shift that looks random and is the same for everyone who computes it."""
    span = 2 * cadence.jitter_minutes * 60 + 1
    return dt.timedelta(seconds=_number(cadence, moment.isoformat()) % span - cadence.jitter_minutes * 60)


def _number(cadence: Cadence, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{cadence.pk}|{purpose}".encode()).digest()[:8])
