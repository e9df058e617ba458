"""The calendar: the right days in the right zone, moved once, told when it cannot be."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Profile
from agents.services.people import set_time_zone
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.states import Status
from tests.budgets import assert_within_budget
from tests.feed.pages.studio.calendar.conftest import may
from tests.publishing import make_publication

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
type BrowserOf = Callable[[Profile | None], Client]
type Schedule = Callable[..., Publication]


@pytest.mark.parametrize("count", [2, 20])
@pytest.mark.parametrize("view", ["month", "week", "day"])
def test_the_calendar_takes_three_statements_whatever_its_size(
    view: str, count: int, alice: Profile, scheduled: Schedule, browser_of: BrowserOf
) -> None:
    # The user; what is in the range; what waits.
    for number in range(count):
        scheduled(day=12, hour=number)
        scheduled(day=13, status=Status.FAILED, error_detail="No.")
    page = assert_within_budget(browser_of(alice), f"/studio/calendar/?view={view}&day={may(12).date()}", exact=True)
    assert "A small bird sang." in page.text


def test_a_full_month_keeps_within_its_bytes(alice: Profile, account: SocialAccount, browser_of: BrowserOf) -> None:
    template = make_publication(account=account, text="Two herons stood in the reeds this morning. " * 5)
    rows = [
        Publication(
            owner=alice, author=alice, account=account, network="mastodon", text=template.text, status="scheduled",
            scheduled_at=may(1) + timedelta(hours=3 * number), fingerprint=b"1" * 32,
            idempotency_key=template.idempotency_key,
        )
        for number in range(31 * 8)
    ]  # fmt: skip
    Publication.objects.bulk_create(rows)
    page = assert_within_budget(browser_of(alice), f"/studio/calendar/?day={may(1).date()}")
    assert page.text.count('class="entry') >= 31 * 4
    assert "4 more</a>" in page.text
    assert len(assert_within_budget(browser_of(alice), f"/studio/calendar/?view=week&day={may(4).date()}").text) > 1000


def test_days_and_times_are_those_of_the_person(alice: Profile, scheduled: Schedule, browser_of: BrowserOf) -> None:
    scheduled(day=12, hour=22)
    client = browser_of(alice)
    assert "<time>22:00</time>" in client.get(f"/studio/calendar/?view=day&day={may(12).date()}").text
    assert client.post("/studio/calendar/time-zone", {"time_zone": "Europe/Berlin"}).status_code == 302
    assert "<time>" not in client.get(f"/studio/calendar/?view=day&day={may(12).date()}").text
    assert "<time>00:00</time>" in client.get(f"/studio/calendar/?view=day&day={may(13).date()}").text
    client.post("/studio/calendar/time-zone", {"time_zone": "Mars/Olympus<b>"})
    told = client.get("/studio/calendar/").text
    assert "no time zone called “Mars/Olympus&lt;b&gt;”" in told and "Times in Europe/Berlin" in told


@pytest.mark.parametrize("query", ["day=soon", "day=9999-12-31", "day=0001-01-01&view=year", "network=<hostile>"])
def test_an_address_that_makes_no_sense_shows_this_month(query: str, alice: Profile, browser_of: BrowserOf) -> None:
    page = browser_of(alice).get(f"/studio/calendar/?{query}")
    assert page.status_code == 200 and "<hostile>" not in page.text
    assert f"<h1>{timezone.now():%B %Y}</h1>" in page.text


def test_moving_keeps_the_time_of_day_over_a_change_of_the_clocks(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    assert alice.user
    set_time_zone(user=alice.user, name="Europe/Berlin")
    noons = [
        datetime.now(BERLIN).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=number)
        for number in range(2, 230)
    ]
    before, after = next((one, two) for one, two in pairwise(noons) if one.utcoffset() != two.utcoffset())
    publication = make_publication(account=account, scheduled_at=before)
    browser_of(alice).post(f"/studio/calendar/{publication.pk}/move", {"day": after.date()})
    publication.refresh_from_db()
    assert publication.scheduled_at == after
    assert after.astimezone(UTC) - before.astimezone(UTC) != timedelta(days=1)
