from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Agent, Profile
from posts.publishing.models import Publication, PublicationEvent
from posts.publishing.states import Status
from tests.conftest import MakeClient
from tests.factories import make_post
from tests.publishing import make_account, make_publication

pytestmark = pytest.mark.django_db


# A wall-clock time that lies ahead whenever the tests run.
SOON = (timezone.now() + timedelta(days=30)).strftime("%Y-%m-%dT10:00")


def in_hours(hours: float) -> str:
    return (timezone.now() + timedelta(hours=hours)).isoformat()


def test_one_request_publishes_to_several_accounts_with_variants(alice: Profile, client_of: MakeClient) -> None:
    accounts = [make_account(owner=alice, network=network) for network in ("mastodon", "x")]
    body = {"accounts": [row.pk for row in accounts], "text": "For all", "variants": {"x": "For X"}}
    answer = client_of(alice).post("/api/publish", body, format="json")
    assert answer.status_code == 202
    texts = {row["network"]: (row["text"], row["status"]) for row in answer.json()["publications"]}
    assert texts == {"mastodon": ("For all", "queued"), "x": ("For X", "queued")}
    assert PublicationEvent.objects.filter(actor=alice, to_status="queued").count() == 2


def test_a_text_that_one_account_refuses_is_queued_for_none(alice: Profile, client_of: MakeClient) -> None:
    mastodon, x = (make_account(owner=alice, network=network) for network in ("mastodon", "x"))
    body = {"accounts": [mastodon.pk, x.pk], "text": "a" * 281}
    answer = client_of(alice).post("/api/publish", body, format="json")
    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    assert error["field"].startswith(f"accounts.{x.pk}")
    assert error["detail"] == "X takes at most 280 weighted characters; this text has 281."
    assert not Publication.objects.exists()


def test_the_same_key_publishes_once(alice: Profile, client_of: MakeClient) -> None:
    account = make_account(owner=alice)
    client = client_of(alice)
    body = {"accounts": [account.pk], "text": "Once"}
    answers = [client.post("/api/publish", body, format="json", headers={"Idempotency-Key": "k1"}) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert Publication.objects.count() == 1
    other = client.post("/api/publish", body | {"text": "Two"}, format="json", headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ({"scheduled_at": in_hours(-1)}, 400),
        ({"scheduled_at": in_hours(3 * 365 * 24)}, 400),
        ({"scheduled_at": "tomorrow"}, 400),
        ({"local_time": "2026-02-30T10:00", "time_zone": "Europe/Berlin"}, 400),
        ({"local_time": SOON, "time_zone": "Europe/Atlantis"}, 400),
        ({"local_time": SOON, "time_zone": "../../etc/passwd"}, 400),
        ({"local_time": SOON}, 400),
        ({}, 400),
        ({"next_slot": True}, 400),
        ({"scheduled_at": in_hours(1), "next_slot": True}, 400),
        ({"scheduled_at": in_hours(1)}, 202),
        ({"local_time": SOON, "time_zone": "Europe/Berlin"}, 202),
    ],
)
def test_moments_are_checked_before_anything_is_written(
    when: dict[str, Any], code: int, alice: Profile, client_of: MakeClient
) -> None:
    account = make_account(owner=alice)
    answer = client_of(alice).post("/api/schedule", {"accounts": [account.pk], "text": "Soon"} | when, format="json")
    assert answer.status_code == code, answer.json()
    assert Publication.objects.count() == (code == 202)


def test_a_schedule_is_listed_by_range_moved_and_cancelled(alice: Profile, client_of: MakeClient) -> None:
    account = make_account(owner=alice)
    client = client_of(alice)
    rows = [
        make_publication(account=account, text=f"Bird {hours}", scheduled_at=timezone.now() + timedelta(hours=hours))
        for hours in (1, 5, 9)
    ]
    found = client.get("/api/schedule", {"start": in_hours(2), "end": in_hours(6)}).json()["results"]
    assert [row["id"] for row in found] == [rows[1].pk]
    moment = in_hours(7)
    moved = client.patch(f"/api/schedule/{rows[1].pk}", {"scheduled_at": moment}, format="json")
    assert moved.status_code == 200
    rows[1].refresh_from_db()
    assert rows[1].due_at == rows[1].scheduled_at
    assert client.delete(f"/api/schedule/{rows[1].pk}").status_code == 204
    assert client.delete(f"/api/schedule/{rows[1].pk}").status_code == 409


@pytest.mark.parametrize("status", [Status.SENDING, Status.UNKNOWN, Status.PUBLISHED])
def test_what_may_be_out_cannot_be_cancelled_or_moved(status: Status, alice: Profile, client_of: MakeClient) -> None:
    publication = make_publication(account=make_account(owner=alice))
    now = timezone.now()
    Publication.objects.update(status=status, lease_until=now, remote_id="1", published_at=now)
    client = client_of(alice)
    assert client.delete(f"/api/schedule/{publication.pk}").status_code == 409
    moved = client.patch(f"/api/schedule/{publication.pk}", {"scheduled_at": in_hours(1)}, format="json")
    assert moved.status_code == 409


@pytest.mark.parametrize(("outcome", "status"), [("published", "published"), ("not_published", "queued")])
def test_the_owner_settles_what_no_machine_can_find_out(
    outcome: str, status: str, alice: Profile, charlie: Profile, client_of: MakeClient
) -> None:
    publication = make_publication(account=make_account(owner=alice))
    Publication.objects.update(status=Status.UNKNOWN, due_at=None)
    path = f"/api/publications/{publication.pk}/resolve"
    assert client_of(charlie).post(path, {"outcome": outcome}, format="json").status_code == 404
    answer = client_of(alice).post(path, {"outcome": outcome}, format="json")
    assert answer.json()["status"] == status
    assert answer.json()["events"][-1]["reason"].startswith("Settled by hand")
    assert client_of(alice).post(path, {"outcome": outcome}, format="json").status_code == 409


def test_a_failed_publication_is_tried_again_and_no_other(alice: Profile, client_of: MakeClient) -> None:
    publication = make_publication(account=make_account(owner=alice))
    path = f"/api/publications/{publication.pk}/retry"
    assert client_of(alice).post(path).status_code == 409
    Publication.objects.update(status=Status.FAILED, attempt=8, due_at=None)
    assert client_of(alice).post(path).json()["status"] == "queued"


def test_an_agent_whose_owner_approves_waits_for_it(alice: Profile, wren: Agent, client_of: MakeClient) -> None:
    account = make_account(owner=alice)
    owner, agent = client_of(alice), client_of(wren.profile)
    assert owner.put("/api/agents/wren/publishing", {"owner_approves": True}, format="json").status_code == 200
    answer = agent.post("/api/publish", {"accounts": [account.pk], "text": "May I?"}, format="json")
    item = answer.json()["publications"][0]
    assert item["status"] == "pending_approval"
    assert agent.post(f"/api/publications/{item['id']}/approve").status_code == 403
    assert owner.post(f"/api/publications/{item['id']}/approve").json()["status"] == "queued"
    again = agent.post("/api/publish", {"accounts": [account.pk], "text": "And this?"}, format="json")
    rejected = again.json()["publications"][0]["id"]
    assert owner.post(f"/api/publications/{rejected}/reject").json()["status"] == "cancelled"


def test_accounts_and_posts_of_others_are_refused(alice: Profile, charlie: Profile, client_of: MakeClient) -> None:
    mine, theirs = make_account(owner=alice), make_account(owner=charlie, platform_user_id="8")
    client = client_of(alice)
    assert client.post("/api/publish", {"accounts": [theirs.pk], "text": "x"}, format="json").status_code == 400
    post = make_post(author=charlie)
    answer = client.post("/api/publish", {"accounts": [mine.pk], "post": post.pk}, format="json")
    assert answer.json()["errors"][0]["detail"] == "You have no such post."


def test_nearly_the_same_text_and_a_clash_are_warned_about(alice: Profile, client_of: MakeClient) -> None:
    account = make_account(owner=alice)
    client = client_of(alice)
    moment = in_hours(2)
    body = {"accounts": [account.pk], "text": "The wren sang all morning in the garden.", "scheduled_at": moment}
    assert client.post("/api/schedule", body, format="json").json()["warnings"] == []
    body["text"] = "The wren sang all morning in the garden!"
    warnings = client.post("/api/schedule", body, format="json").json()["warnings"]
    assert len(warnings) == 2


@pytest.mark.parametrize("path", ["/api/publications", "/api/schedule", "/api/accounts"])
def test_a_list_costs_the_same_for_two_rows_and_for_twenty(
    path: str, alice: Profile, client_of: MakeClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(alice)
    make: Callable[[int], object] = lambda number: make_publication(  # noqa: E731
        account=make_account(owner=alice, platform_user_id=str(number)),
        text=f"Bird {number}",
        scheduled_at=timezone.now() + timedelta(hours=1),
    )
    for number in range(2):
        make(number)
    # The key with its profile; the rows with their accounts.
    with django_assert_num_queries(2):
        assert len(client.get(path).json()["results"]) == 2
    for number in range(2, 20):
        make(number)
    with django_assert_num_queries(2):
        assert len(client.get(path).json()["results"]) == 20
