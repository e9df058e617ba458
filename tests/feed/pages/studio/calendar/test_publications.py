"""One publication: only its owner's, moved from a page that is not stale, decided once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent, Profile
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.services.policies import set_policy
from posts.publishing.services.publications import move
from posts.publishing.states import Status
from tests.budgets import assert_within_budget
from tests.feed.pages.studio.calendar.conftest import may
from tests.publishing import make_publication

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
type Schedule = Callable[..., Publication]
DECISIONS = ("approve", "reject", "publish-now", "cancel", "retry", "is-out", "is-not-out")


def test_a_page_of_one_takes_four_statements(alice: Profile, scheduled: Schedule, browser_of: BrowserOf) -> None:
    # The user; the publication with its account and author; its history; what is unread.
    publication = scheduled(text="<script>alert(1)</script>")
    page = assert_within_budget(browser_of(alice), f"/studio/calendar/{publication.pk}", exact=True)
    assert "&lt;script&gt;alert(1)" in page.text and "It goes out to Mastodon by itself." in page.text


def test_others_see_and_change_nothing(bob: Profile, wren: Agent, scheduled: Schedule, browser_of: BrowserOf) -> None:
    publication = scheduled()
    address = f"/studio/calendar/{publication.pk}"
    assert browser_of(None).get(address)["Location"].startswith("/log-in")
    client = browser_of(bob)
    assert client.get(address).status_code == 404
    for path in ("move", *DECISIONS):
        assert client.post(f"{address}/{path}", {"day": "2030-01-01"}).status_code == 404, path
    assert "A small bird" not in client.get(f"/studio/calendar/?day={may(12).date()}").text
    publication.refresh_from_db()
    assert publication.status == Status.SCHEDULED


def test_forms_of_other_sites_are_refused(alice: Profile, scheduled: Schedule) -> None:
    publication = scheduled()
    client = Client(enforce_csrf_checks=True)
    assert alice.user
    client.force_login(alice.user)
    assert client.post(f"/studio/calendar/{publication.pk}/cancel").status_code == 403
    publication.refresh_from_db()
    assert publication.status == Status.SCHEDULED


def test_moving_to_another_day_keeps_the_time(alice: Profile, scheduled: Schedule, browser_of: BrowserOf) -> None:
    publication = scheduled(day=12, hour=9)
    form = {"day": may(20).date(), "expected": may(12).isoformat()}
    for _ in range(2):
        # The second is a double click: it is there already.
        answer = browser_of(alice).post(f"/studio/calendar/{publication.pk}/move", form)
        assert answer["Location"] == f"/studio/calendar/?day={may(20).date()}"
    publication.refresh_from_db()
    assert publication.scheduled_at == may(20) == publication.due_at
    assert publication.events.count() == 2


def test_an_old_page_does_not_undo_somebodys_move(alice: Profile, scheduled: Schedule, browser_of: BrowserOf) -> None:
    publication = scheduled(day=12)
    move(publication=publication, actor=alice, scheduled_at=may(25))
    form = {"day": may(20).date(), "time": "11:30", "expected": may(12).isoformat()}
    client = browser_of(alice)
    refused = client.post(f"/studio/calendar/{publication.pk}/move", form)
    assert refused.status_code == 422
    assert "It was moved meanwhile" in refused.text and 'value="11:30"' in refused.text
    assert f'value="{may(25).isoformat()}"' in refused.text
    publication.refresh_from_db()
    assert publication.scheduled_at == may(25)
    client.post(f"/studio/calendar/{publication.pk}/move", form | {"expected": may(25).isoformat()})
    publication.refresh_from_db()
    assert publication.scheduled_at == may(20, 11) + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2001-05-05", "This moment has passed."),
        ("2099-01-01", "at most one year"),
        ("<b>", "Enter a valid date."),
        ("", "required"),
    ],
)
def test_a_day_that_cannot_be_is_refused_in_words(
    day: str, words: str, alice: Profile, scheduled: Schedule, browser_of: BrowserOf
) -> None:
    publication = scheduled()
    refused = browser_of(alice).post(f"/studio/calendar/{publication.pk}/move", {"day": day, "time": "09:00"})
    assert refused.status_code == 422 and words in refused.text
    publication.refresh_from_db()
    assert publication.scheduled_at == may(12)


def test_what_is_out_cannot_be_moved(alice: Profile, scheduled: Schedule, browser_of: BrowserOf) -> None:
    publication = scheduled(status=Status.PUBLISHED, published_at=may(12), remote_id="1")
    refused = browser_of(alice).post(f"/studio/calendar/{publication.pk}/move", {"day": may(20).date()})
    assert refused.status_code == 422 and "Too late to move it" in refused.text


def test_publishing_now_makes_it_due_at_once(alice: Profile, scheduled: Schedule, browser_of: BrowserOf) -> None:
    publication = scheduled()
    browser_of(alice).post(f"/studio/calendar/{publication.pk}/publish-now")
    publication.refresh_from_db()
    assert publication.due_at and publication.due_at <= timezone.now()


def test_an_agents_post_waits_and_is_approved_or_not(
    alice: Profile, wren: Agent, account: SocialAccount, browser_of: BrowserOf
) -> None:
    set_policy(agent=wren, owner_approves=True)
    first, second = (make_publication(account=account, needs_approval=True, scheduled_at=may(day)) for day in (3, 4))
    client = browser_of(alice)
    assert "Waits for you" in client.get("/studio/calendar/").text
    client.post(f"/studio/calendar/{first.pk}/approve")
    client.post(f"/studio/calendar/{second.pk}/reject")
    statuses = dict(Publication.objects.values_list("pk", "status"))
    assert statuses == {first.pk: Status.SCHEDULED, second.pk: Status.CANCELLED}
    # An old page still offers to reject what is approved meanwhile.
    client.post(f"/studio/calendar/{first.pk}/reject")
    assert "Nothing was changed: It is scheduled now." in client.get("/studio/calendar/").text
    first.refresh_from_db()
    assert first.status == Status.SCHEDULED


def test_a_failure_says_what_trying_again_does(alice: Profile, scheduled: Schedule, browser_of: BrowserOf) -> None:
    publication = scheduled(status=Status.FAILED, error_class="refused", error_detail="<b>Not here</b>", due_at=None)
    client = browser_of(alice)
    page = client.get("/studio/calendar/").text
    assert "&lt;b&gt;Not here&lt;/b&gt;" in page and "Trying again sends the same text once more" in page
    client.post(f"/studio/calendar/{publication.pk}/retry")
    client.post(f"/studio/calendar/{publication.pk}/retry")
    publication.refresh_from_db()
    assert publication.status == Status.QUEUED
    assert "Nothing was changed: It is in the queue now." in client.get("/studio/calendar/").text


def test_a_lost_answer_is_looked_for_or_settled_by_hand(
    alice: Profile, scheduled: Schedule, browser_of: BrowserOf
) -> None:
    scheduled(status=Status.UNKNOWN, due_at=may(12), error_class="lost")
    mine = scheduled(status=Status.UNKNOWN, due_at=None, error_class="review")
    client = browser_of(alice)
    page = client.get("/studio/calendar/").text
    assert "We will first look whether it is there" in page and "You have to say" in page
    client.post(f"/studio/calendar/{mine.pk}/is-out", {"url": "javascript:alert(1)"})
    assert "is no web address" in client.get(f"/studio/calendar/{mine.pk}").text
    client.post(f"/studio/calendar/{mine.pk}/is-out", {"url": "https://example.org/1"})
    mine.refresh_from_db()
    assert (mine.status, mine.remote_url) == (Status.PUBLISHED, "https://example.org/1")
    assert 'href="https://example.org/1"' in client.get(f"/studio/calendar/{mine.pk}").text


def test_an_address_from_a_network_is_no_way_to_run_a_script(
    alice: Profile, scheduled: Schedule, browser_of: BrowserOf
) -> None:
    publication = scheduled(
        status=Status.PUBLISHED, published_at=may(12), remote_id="1", remote_url="javascript:alert(1)"
    )
    assert "javascript:" not in browser_of(alice).get(f"/studio/calendar/{publication.pk}").text


def test_a_decision_that_does_not_exist_is_not_found(
    alice: Profile, scheduled: Schedule, browser_of: BrowserOf
) -> None:
    assert browser_of(alice).post(f"/studio/calendar/{scheduled().pk}/delete").status_code == 404
