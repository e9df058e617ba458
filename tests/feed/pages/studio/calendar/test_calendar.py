"""The calendar: the right days in the right zone, moved once, told when it cannot be."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
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
def test_the_calendar_takes_four_statements_whatever_its_size(
    view: str, count: int, alice: Profile, scheduled: Schedule, browser_of: BrowserOf
) -> None:
    # The user; what is in the range; what waits; what is unread.
    for number in range(count):
        scheduled(day=12, hour=number)
        scheduled(day=13, status=Status.FAILED, error_detail="No.")
    page = assert_within_budget(browser_of(alice), f"/studio/calendar/?view={view}&day={may(12).date()}", exact=True)
    assert "A small bird sang." in page.text


def fill(owner: Profile, account: SocialAccount, moments: list[datetime]) -> None:
    template = make_publication(account=account, text="Two herons stood in the reeds this morning. " * 5)
    rows = [
        Publication(
            owner=owner, author=owner, account=account, network="mastodon", text=f"{number}: {template.text}",
            status="scheduled", scheduled_at=moment, fingerprint=b"1" * 32, idempotency_key=template.idempotency_key,
        )
        for number, moment in enumerate(moments)
    ]  # fmt: skip
    Publication.objects.bulk_create(rows)


def test_five_hundred_publications_keep_within_their_bytes_in_every_view(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    # On all 42 days that a month can show, which is more than any month has.
    fill(alice, account, [may(1) - timedelta(days=7) + timedelta(hours=2 * number) for number in range(45 * 12)])
    client, day = browser_of(alice), may(12).date()
    month = assert_within_budget(client, f"/studio/calendar/?day={day}")
    assert month.text.count('class="entry') >= 31 * 3
    assert f'href="?view=day&amp;day={day}">+9 more</a>' in month.text
    week = assert_within_budget(client, f"/studio/calendar/?view=week&day={day}")
    assert week.text.count('class="entry') == 70 and f'href="?view=day&amp;day={day}">+2 more</a>' in week.text
    assert "more</a>" not in assert_within_budget(client, f"/studio/calendar/?view=day&day={day}").text


def test_a_day_of_five_hundred_goes_on_where_its_page_ends(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    # Most of them at the same minute, as an import may bring them.
    fill(alice, account, [may(12, 8), *[may(12, 9)] * 498, may(12, 20)])
    client, path, seen = browser_of(alice), f"/studio/calendar/?view=day&day={may(12).date()}", []
    while path:
        page = assert_within_budget(client, path, exact=True).text
        seen += re.findall(r'<li class="entry scheduled" id="p(\d+)"', page)
        more = re.search(r'rel="next" href="([^"]*)">\+(\d+) more', page)
        assert more is None or int(more[2]) == 500 - len(seen)
        path = f"/studio/calendar/{unescape(more[1])}" if more else ""
    assert len(seen) == len(set(seen)) == 500


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
