"""Days and hours by the clocks of a place, also where they are changed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from feed.pages.studio.calendar.spans import clock, dated, span_of

BERLIN = ZoneInfo("Europe/Berlin")
# Clocks go forward at midnight there: this day begins at one.
BEIRUT = ZoneInfo("Asia/Beirut")


@pytest.mark.parametrize(
    ("view", "day", "days", "title"),
    [
        ("month", date(2026, 2, 14), 35, "February 2026"),
        ("month", date(2027, 2, 1), 28, "February 2027"),
        ("month", date(2026, 8, 31), 42, "August 2026"),
        ("week", date(2026, 12, 31), 7, "28 December – 3 January 2027"),
        ("week", date(2026, 11, 18), 7, "16 – 22 November 2026"),
        ("day", date(2028, 2, 29), 1, "Tuesday, 29 February 2028"),
    ],
)
def test_a_view_is_whole_weeks_and_has_a_title(view: str, day: date, days: int, title: str) -> None:
    span = span_of(view, day, BERLIN)
    assert (len(span.days), span.title) == (days, title)
    assert day in span.days
    assert view == "day" or (span.first.weekday() == 0 and span.days[-1].weekday() == 6)


@pytest.mark.parametrize("view", ["month", "week", "day"])
def test_turning_forth_and_back_misses_no_day(view: str) -> None:
    span = span_of(view, date(2026, 1, 31), BERLIN)
    seen = set(span.days)
    for _ in range(30):
        following = span_of(view, span.next, BERLIN)
        assert span_of(view, following.before, BERLIN).first == span.first
        assert following.first <= span.after
        seen |= set(following.days)
        span = following
    assert len(seen) == (max(seen) - min(seen)).days + 1


def test_a_day_on_which_clocks_change_has_as_many_hours_as_it_has() -> None:
    spring, autumn = (span_of("day", day, BERLIN) for day in (date(2027, 3, 28), date(2026, 10, 25)))
    assert spring.end - spring.start == timedelta(hours=23)
    assert autumn.end - autumn.start == timedelta(hours=25)
    assert [hour for hour in range(24) if spring.is_skipped(spring.day, hour)] == [2]
    assert not any(autumn.is_skipped(autumn.day, hour) for hour in range(24))


def test_a_day_whose_midnight_does_not_exist_begins_when_it_does() -> None:
    span = span_of("day", date(2027, 3, 28), BEIRUT)
    assert span.start == datetime(2027, 3, 27, 22, tzinfo=UTC)
    assert span.start.astimezone(BEIRUT).hour == 1


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert [clock(first + timedelta(hours=hours), BERLIN) for hours in range(3)] == [
        "02:30 CEST",
        "02:30 CET",
        "03:30",
    ]
    assert dated(datetime(2020, 5, 4, 22, 5, tzinfo=UTC), BERLIN) == "Tue 5 May 2020, 00:05"
