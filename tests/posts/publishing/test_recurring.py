"""Recurring and evergreen posts: every turn once, at its local time, and none in a heap."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from agents.models import Agent, Profile
from posts.publishing.models import Occurrence, Publication, PublishingPolicy, RecurringPost
from posts.publishing.services import recurring
from posts.publishing.services.recurring import Rhythm, create_recurring_post, schedule_due
from posts.publishing.states import Status
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.publishing import make_account, make_publication, make_recurring_post

pytestmark = pytest.mark.django_db

BERLIN = "Europe/Berlin"


def rhythm(**changes: Any) -> Rhythm:
    every_day = {"starts_on": date(2027, 3, 27), "every_days": 1, "local_time": time(9, 30), "time_zone": BERLIN}
    return Rhythm(**{**every_day, **changes})


def in_utc(value: Rhythm, count: int = 3) -> list[str]:
    return [f"{moment:%d %H:%M}" for number in range(count) if (moment := value.moment(number))]


def test_half_past_nine_stays_half_past_nine_when_the_clocks_change() -> None:
    assert in_utc(rhythm()) == ["27 08:30", "28 07:30", "29 07:30"]


def test_a_time_that_the_clocks_skip_or_repeat_comes_once() -> None:
    assert in_utc(rhythm(local_time=time(2, 30))) == ["27 01:30", "28 01:30", "29 00:30"]
    autumn = rhythm(starts_on=date(2027, 10, 30), local_time=time(2, 30))
    assert in_utc(autumn) == ["30 00:30", "31 00:30", "01 01:30"]


def test_nothing_comes_after_the_last_day() -> None:
    assert len(in_utc(rhythm(ends_on=date(2027, 3, 28)))) == 2


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "UTC", "Pacific/Niue", BERLIN])
@pytest.mark.parametrize("every_days", [1, 3, 30])
def test_the_first_turn_after_a_moment_is_neither_early_nor_skipped(zone: str, every_days: int) -> None:
    value = rhythm(time_zone=zone, every_days=every_days)
    for hours in range(0, 24 * 65, 7):
        after = datetime(2027, 3, 26, tzinfo=UTC) + timedelta(hours=hours)
        number = value.first_after(after)
        assert (value.moment(number) or after) > after
        assert number == 0 or (value.moment(number - 1) or after) <= after


@pytest.mark.django_db(transaction=True)
def test_ten_schedulers_put_each_turn_into_the_calendar_once() -> None:
    account = make_account()
    for number in range(3):
        make_recurring_post(account=account, texts=[f"Bird {number}"])
    assert sum(run_together(10, lambda _: schedule_due())) == 18
    assert Publication.objects.count() == Occurrence.objects.exclude(publication=None).count() == 18
    moments = Publication.objects.filter(text="Bird 1").order_by("scheduled_at").values_list("scheduled_at", flat=True)
    days = {later - earlier for earlier, later in zip(moments, moments[1:], strict=False) if earlier and later}
    assert days == {timedelta(days=1)}
    assert schedule_due() == 0


def test_a_turn_that_is_taken_is_not_taken_by_somebody_with_an_older_look_at_it() -> None:
    row = make_recurring_post()
    stale = RecurringPost.objects.select_related("account", "author", "post").get(pk=row.pk)
    schedule_due()
    count = Publication.objects.count()
    with pytest.raises(recurring.Overtaken):
        recurring._take_turn(stale)
    assert Publication.objects.count() == count


def test_an_evergreen_takes_its_texts_in_turn() -> None:
    make_recurring_post(texts=["Owls", "Wrens", "Swifts"])
    schedule_due()
    texts = Publication.objects.order_by("scheduled_at").values_list("text", flat=True)
    assert list(texts) == ["Owls", "Wrens", "Swifts", "Owls", "Wrens", "Swifts"]


def move_back(row: RecurringPost, *, days: int) -> None:
    """Let the house sleep for some days."""
    moment = row.next_at or timezone.now()
    RecurringPost.objects.filter(pk=row.pk).update(
        starts_on=row.starts_on - timedelta(days=days),
        next_at=moment - timedelta(days=days),
        look_at=moment - timedelta(days=days),
    )


def test_what_the_house_slept_through_is_not_caught_up_with_in_a_heap() -> None:
    row = make_recurring_post()
    move_back(row, days=5)
    schedule_due()
    passed = Occurrence.objects.filter(publication=None)
    assert {occurrence.reason for occurrence in passed} == {"Its time passed while nobody was looking."}
    assert passed.count() >= 3
    scheduled = Publication.objects.values_list("scheduled_at", flat=True)
    assert all(moment and moment > timezone.now() - recurring.LATE for moment in scheduled)


def test_a_turn_that_cannot_be_scheduled_waits_and_says_why() -> None:
    row = make_recurring_post()
    type(row.account).objects.filter(pk=row.account_id).update(state="needs_reconnect")
    assert schedule_due() == 0
    row.refresh_from_db()
    assert row.problem == "This account has to be connected again."
    assert row.look_at and row.look_at > timezone.now()
    assert row.next_number == 0
    type(row.account).objects.filter(pk=row.account_id).update(state="active")
    RecurringPost.objects.update(look_at=timezone.now())
    assert schedule_due() > 0
    row.refresh_from_db()
    assert row.problem == ""


def test_turns_wait_while_the_owner_has_too_many_publications(settings: Settings) -> None:
    settings.PUBLISHING_MAX_OPEN = 2
    row = make_recurring_post()
    assert schedule_due() == 2
    row.refresh_from_db()
    assert row.problem == "At most 2 publications can wait at a time."


def test_an_agent_whose_owner_approves_waits_for_each_turn(wren: Agent, alice: Profile) -> None:
    PublishingPolicy.objects.create(agent=wren, owner_approves=True)
    value = rhythm(starts_on=timezone.now().date() + timedelta(days=1))
    create_recurring_post(author=wren.profile, account=make_account(owner=alice), texts=["Hello"], rhythm=value)
    assert schedule_due() > 0
    assert set(Publication.objects.values_list("status", flat=True)) == {Status.PENDING_APPROVAL}


def test_two_texts_that_are_the_same_are_refused() -> None:
    with pytest.raises(ValidationError, match="the same"):
        make_recurring_post(texts=["An owl", "An  owl "])


def test_a_paused_one_goes_on_with_the_next_turn_to_come() -> None:
    row = make_recurring_post()
    recurring.pause(row=row)
    move_back(row, days=9)
    assert schedule_due() == 0
    row.refresh_from_db()
    recurring.resume(row=row)
    row.refresh_from_db()
    assert row.next_at and row.next_at > timezone.now()
    assert schedule_due() > 0
    assert not Occurrence.objects.filter(publication=None).exists()


# What follows is the API.


def body_for(account_id: int, **changes: Any) -> dict[str, Any]:
    tomorrow = (timezone.now().date() + timedelta(days=1)).isoformat()
    every_day = {"starts_on": tomorrow, "every_days": 1, "local_time": "09:30", "time_zone": BERLIN}
    return {"account": account_id, "texts": ["Good morning."], **every_day, **changes}


def test_one_key_makes_one_recurring_post(alice: Profile, client_of: MakeClient) -> None:
    body = body_for(make_account(owner=alice).pk)
    client = client_of(alice)
    path, headers = "/api/schedule/recurring", {"Idempotency-Key": "k1"}
    answers = [client.post(path, body, format="json", headers=headers) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert RecurringPost.objects.count() == 1
    assert answers[0].json()["local_time"] == "09:30"


def test_what_is_near_to_a_repetition_is_warned_of(alice: Profile, client_of: MakeClient) -> None:
    account = make_account(owner=alice, network="x")
    twin = make_publication(account=account, text="Good morning, all birds.")
    body = body_for(account.pk, texts=["Good morning, all birds!"])
    warnings = client_of(alice).post("/api/schedule/recurring", body, format="json").json()["warnings"]
    assert warnings == [
        "X refuses a text that it has already: give several.",
        f"Text 1 says nearly the same as publication {twin.pk}.",
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"every_days": 0}, "every_days"),
        ({"every_days": 10**30}, "every_days"),
        ({"starts_on": "2001-01-01"}, "starts_on"),
        ({"starts_on": "0001-01-01"}, "starts_on"),
        ({"starts_on": "9999-12-31"}, "starts_on"),
        ({"ends_on": "2001-01-01"}, "ends_on"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"local_time": "24:00"}, "local_time"),
        ({"texts": []}, "texts"),
        ({"texts": ["a" * 501]}, "texts[0]"),
        ({"account": 10**30}, "account"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    change: dict[str, Any], field: str, alice: Profile, client_of: MakeClient
) -> None:
    body = body_for(make_account(owner=alice).pk, **change)
    answer = client_of(alice).post("/api/schedule/recurring", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert not RecurringPost.objects.exists()


def test_an_owner_has_so_many_and_no_more(settings: Settings, alice: Profile, client_of: MakeClient) -> None:
    settings.PUBLISHING_MAX_RECURRING = 1
    body = body_for(make_account(owner=alice).pk)
    client = client_of(alice)
    statuses = [client.post("/api/schedule/recurring", body, format="json").status_code for _ in range(2)]
    assert statuses == [201, 400]


def test_its_owner_sees_its_turns_pauses_it_and_ends_it(alice: Profile, bob: Profile, client_of: MakeClient) -> None:
    row = make_recurring_post(account=make_account(owner=alice))
    schedule_due()
    client, path = client_of(alice), f"/api/schedule/recurring/{row.pk}"
    seen = client.get(path).json()
    assert len(seen["turns"]) == 6
    assert len(seen["upcoming"]) == 10
    assert client.patch(path, {"is_active": False}, format="json").json()["upcoming"] == []
    assert client_of(bob).get(path).status_code == client_of(bob).delete(path).status_code == 404
    assert client.delete(path).status_code == 204
    assert set(Publication.objects.values_list("status", flat=True)) == {Status.CANCELLED}
    assert not RecurringPost.objects.exists()


def test_the_list_costs_the_same_for_two_and_for_twenty(
    alice: Profile, client_of: MakeClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client, account = client_of(alice), make_account(owner=alice)
    make: Callable[[int], RecurringPost] = lambda number: make_recurring_post(  # noqa: E731
        account=account, texts=[f"Bird {number}"]
    )
    for number in range(2):
        make(number)
    # The key with its profile; the rows.
    with django_assert_num_queries(2):
        assert len(client.get("/api/schedule/recurring").json()["results"]) == 2
    for number in range(2, 20):
        make(number)
    with django_assert_num_queries(2):
        assert len(client.get("/api/schedule/recurring").json()["results"]) == 20
    path = f"/api/schedule/recurring/{make(20).pk}"
    # The key with its profile; the row; its turns.
    with django_assert_num_queries(3):
        client.get(path)
