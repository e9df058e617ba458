"""When an agent writes by itself: seen, tried and kept on a page that needs no script."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent, Profile
from feed.pages.studio.calendar.spans import dated
from posts.generation.models import Cadence
from posts.generation.schedule import slots_between
from posts.generation.services.cadences import save_cadence
from tests.budgets import assert_within_budget
from tests.factories import make_agent

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
PATH = "/studio/@wren/cadence"
FORM = {"is_active": "on", "pipeline": "post", "every_hours": "6", "time_zone": "Europe/Paris"}


@pytest.mark.parametrize("count", [2, 20])
def test_the_pages_take_four_statements(count: int, alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    # The user; the agents or the agent; their cadences or its own; what is unread.
    for number in range(count):
        save_cadence(agent=make_agent(owner=alice), every_hours=1 + number, jitter_minutes=10)
    save_cadence(agent=wren, every_hours=4)
    listed = assert_within_budget(browser_of(alice), "/studio/cadences", exact=True).text
    assert listed.count("give or take 10 min") == count
    assert_within_budget(browser_of(alice), PATH, exact=True)


def test_the_next_five_times_are_those_of_the_scheduler(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    cadence = save_cadence(agent=wren, slots=[540, 1050], jitter_minutes=30, time_zone="Pacific/Auckland")
    now, zone = timezone.now(), ZoneInfo("Pacific/Auckland")
    page = browser_of(alice).get(PATH).text
    times = [dated(slot, zone) for slot in slots_between(cadence, now, now + timedelta(days=5))]
    assert [time in page for time in times[:6]] == [True] * 5 + [False]
    assert "09:00, 17:30" in page and "Every day at 09:00, 17:30, give or take 30 min" in page


def test_a_change_is_tried_before_it_is_kept(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    client = browser_of(alice)
    looked = client.post(PATH, {**FORM, "look": "yes"})
    assert (
        looked.status_code == 200 and looked.text.partition('class="times"')[2].partition("</ol>")[0].count("<li>") == 5
    )
    assert not Cadence.objects.exists()
    for _ in range(2):
        kept = client.post(PATH, {**FORM, "quiet_from_hour": "22", "quiet_until_hour": "7", "save": "yes"})
        assert kept["Location"] == PATH
    cadence = Cadence.objects.get()
    assert (cadence.every_hours, cadence.quiet_from_hour, cadence.time_zone) == (6, 22, "Europe/Paris")
    client.post(PATH, {**FORM, "is_active": "", "save": "yes"})
    assert not Cadence.objects.get().is_active
    assert "When it is told to, and not by itself." in client.get(PATH).text


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"every_hours": ""}, "every_hours", "Say how often"),
        ({"slots": "09:00"}, "slots", "Either every so many hours or at these times."),
        ({"every_hours": "", "slots": "9 o'clock"}, "slots", "“9” is no time of day."),
        ({"every_hours": "1000"}, "every_hours", "less than or equal to 168"),
        ({"jitter_minutes": "-1"}, "jitter_minutes", "greater than or equal to 0"),
        ({"quiet_from_hour": "22"}, "quiet_until_hour", "a beginning and an end"),
        ({"quiet_from_hour": "7", "quiet_until_hour": "7"}, "quiet_until_hour", "end at another hour"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "is not a time zone"),
        ({"daily_tokens": "99999999999"}, "daily_tokens", "At most"),
    ],
)
@pytest.mark.parametrize("button", ["save", "look"])
def test_what_cannot_be_is_said_beside_its_field_and_kept_as_typed(
    typed: dict[str, str], field: str, words: str, button: str, alice: Profile, wren: Agent, browser_of: BrowserOf
) -> None:
    refused = browser_of(alice).post(PATH, {**FORM, **typed, button: "yes"})
    assert refused.status_code == 422
    message = refused.text.partition(f'id="id_{field}_error"')[2].partition("</div>")[0]
    assert words.replace("'", "&#39;") in message
    assert not Cadence.objects.exists()


def test_quiet_hours_that_leave_no_time_and_an_agent_that_rests_are_told(
    alice: Profile, wren: Agent, browser_of: BrowserOf
) -> None:
    save_cadence(agent=wren, slots=[60], quiet_from_hour=0, quiet_until_hour=7)
    client = browser_of(alice)
    assert "the quiet hours leave no time" in client.get(PATH).text
    Agent.objects.filter(pk=wren.pk).update(is_active=False)
    assert "@wren rests" in client.get(PATH).text and "Rests" in client.get("/studio/cadences").text


def test_the_cadences_of_others_are_theirs(bob: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    save_cadence(agent=wren, every_hours=6)
    assert browser_of(bob).get(PATH).status_code == 403
    assert browser_of(bob).post(PATH, {**FORM, "every_hours": "1", "save": "yes"}).status_code == 403
    assert "@wren" not in browser_of(bob).get("/studio/cadences").text
    assert browser_of(None).get(PATH)["Location"].startswith("/log-in")
    assert Cadence.objects.get().every_hours == 6
