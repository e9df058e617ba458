from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django.fixtures import Settings

from agents.models import Profile
from posts.publishing.models import PostingSlot, Publication
from posts.publishing.services.requests import Wanted, submit
from posts.publishing.services.slots import moment_of, next_free_slot
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.publishing import make_account, make_publication

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("local", "zone", "moment"),
    [
        ("2027-03-28T02:30", "Europe/Berlin", "2027-03-28T01:30"),  # skipped: an hour later, 03:30
        ("2027-10-31T02:30", "Europe/Berlin", "2027-10-31T00:30"),  # comes twice: the first
        ("2027-03-14T02:15", "America/New_York", "2027-03-14T07:15"),
        ("2027-04-04T01:45", "Australia/Lord_Howe", "2027-04-03T14:45"),
        ("2027-01-01T09:00", "Asia/Kathmandu", "2027-01-01T03:15"),
    ],
)
def test_wall_clock_times_have_one_meaning_when_the_clocks_change(local: str, zone: str, moment: str) -> None:
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert moment_of(datetime.fromisoformat(local), zone) == expected


def test_the_next_free_slot_is_in_local_time_and_not_taken() -> None:
    account = make_account(time_zone="Europe/Berlin")
    for weekday in (0, 3):
        PostingSlot.objects.create(account=account, weekday=weekday, local_time=time(9, 30))
    # The Friday before the clocks go forward.
    friday = datetime(2027, 3, 26, 12, tzinfo=UTC)
    monday = next_free_slot(account=account, after=friday)
    assert monday == datetime(2027, 3, 29, 7, 30, tzinfo=UTC)
    make_publication(account=account, scheduled_at=monday)
    assert next_free_slot(account=account, after=friday) == datetime(2027, 4, 1, 7, 30, tzinfo=UTC)


def csv_of(account: int, good: int, bad: int) -> str:
    moment = (timezone.now() + timedelta(days=1)).isoformat()
    lines = ["account,text,scheduled_at,time_zone"]
    lines += [f'{account},"Bird, number {number}",{moment},' for number in range(good)]
    lines += [f"{account},Late bird {number},2001-01-01T10:00,Europe/Berlin" for number in range(bad)]
    return "\n".join(lines)


def test_an_import_is_looked_at_first_and_then_written_whole(alice: Profile, client_of: MakeClient) -> None:
    account = make_account(owner=alice)
    client = client_of(alice)
    body: dict[str, Any] = {"csv": csv_of(account.pk, good=300, bad=3)}
    report = client.post("/api/schedule/import", body, format="json").json()
    assert (report["row_count"], report["good_count"], report["created_count"]) == (303, 300, 0)
    assert report["bad_rows"][0] == {"row": 301, "reasons": ["scheduled_at: This moment has passed."]}
    refused = client.post("/api/schedule/import", body | {"preview": False}, format="json")
    assert refused.status_code == 400
    assert len(refused.json()["errors"]) == 3
    assert not Publication.objects.exists()
    body = {"csv": csv_of(account.pk, good=300, bad=0), "preview": False}
    written = client.post("/api/schedule/import", body, format="json")
    assert written.json()["created_count"] == Publication.objects.filter(status="scheduled").count() == 300
    assert Publication.objects.filter(events__to_status="scheduled").count() == 300


@pytest.mark.parametrize("csv", ["", "a,b\n1,2", 'account,text\n1,"open', "account,text,extra\n"])
def test_what_is_not_the_csv_asked_for_is_refused(csv: str, alice: Profile, client_of: MakeClient) -> None:
    assert client_of(alice).post("/api/schedule/import", {"csv": csv}, format="json").status_code == 400


def test_ten_thousand_rows_with_three_hundred_bad_ones_are_named_and_none_is_written(
    alice: Profile, client_of: MakeClient
) -> None:
    account = make_account(owner=alice)
    moment = (timezone.now() + timedelta(days=1)).isoformat()
    bad = [f"{account.pk},,{moment},", f"999999,Bird,{moment},", f"{account.pk},Bird,2001-01-01T10:00,Europe/Berlin"]
    good = f"{account.pk},Bird,{moment},"
    lines = [bad[number // 33 % 3] if number % 33 == 0 and number < 9900 else good for number in range(10_000)]
    body: dict[str, Any] = {"csv": "\n".join(["account,text,scheduled_at,time_zone", *lines])}
    client = client_of(alice)
    report = client.post("/api/schedule/import", body, format="json").json()
    assert (report["row_count"], report["good_count"], report["created_count"]) == (10_000, 9_700, 0)
    assert [row["row"] for row in report["bad_rows"]] == list(range(1, 9_901, 33))
    assert {reason for row in report["bad_rows"] for reason in row["reasons"]} == {
        "text: There is nothing to publish.",
        "account: You have no such account.",
        "scheduled_at: This moment has passed.",
    }
    refused = client.post("/api/schedule/import", body | {"preview": False}, format="json")
    assert refused.status_code == 400
    assert not Publication.objects.exists()


def test_an_owner_has_so_many_publications_waiting_and_no_more(
    settings: Settings, alice: Profile, client_of: MakeClient
) -> None:
    settings.PUBLISHING_MAX_OPEN = 2
    account = make_account(owner=alice)
    client = client_of(alice)
    body = {"accounts": [account.pk], "text": "Bird"}
    statuses = [client.post("/api/publish", body | {"text": f"Bird {n}"}, format="json").status_code for n in range(3)]
    assert statuses == [202, 202, 400]
    csv = {"csv": csv_of(account.pk, good=1, bad=0), "preview": False}
    assert client.post("/api/schedule/import", csv, format="json").status_code == 400
    assert Publication.objects.count() == 2
    Publication.objects.order_by("id")[:1].get().delete()
    assert client.post("/api/publish", body, format="json").status_code == 202


def test_an_import_does_not_go_beyond_what_may_wait(settings: Settings, alice: Profile, client_of: MakeClient) -> None:
    settings.PUBLISHING_MAX_OPEN = 5
    csv = {"csv": csv_of(make_account(owner=alice).pk, good=6, bad=0), "preview": False}
    assert client_of(alice).post("/api/schedule/import", csv, format="json").status_code == 400
    assert not Publication.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_ten_requests_at_once_do_not_share_the_last_place(settings: Settings) -> None:
    settings.PUBLISHING_MAX_OPEN = 3
    account = make_account()

    def ask(number: int) -> bool:
        try:
            submit(author=account.owner, wanted=Wanted(accounts=[account], body=f"Bird {number}"))
        except ValidationError:
            return False
        return True

    assert sum(run_together(10, ask)) == Publication.objects.count() == 3
