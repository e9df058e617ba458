"""Beat remembers nothing: what it does must not depend on how long it has been running."""

from celery.schedules import crontab
from django.conf import settings

LONGEST_SECONDS = 60


def test_what_comes_seldom_comes_by_the_clock() -> None:
    schedules = {name: entry["schedule"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    intervals = {name: schedule for name, schedule in schedules.items() if not isinstance(schedule, crontab)}
    assert {name: seconds for name, seconds in intervals.items() if seconds > LONGEST_SECONDS} == {}
