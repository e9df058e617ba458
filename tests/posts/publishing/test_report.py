"""The figures of the analytics page: one statement, each post's cost once, only one's own."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, Profile
from posts.generation.models import Run, RunStep
from posts.models import Post
from posts.publishing import report
from posts.publishing.models import AnalyticsSummary, LatestFigures, Publication, SocialAccount
from posts.publishing.report import Range, read_report, rows_of
from posts.publishing.states import Status
from tests.factories import make_post
from tests.publishing import make_account, make_publication

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
MAY = Range(date(2026, 5, 1), date(2026, 6, 1))
# A Monday, half past eight in the evening in Berlin.
MONDAY = datetime(2026, 5, 4, 18, 30, tzinfo=UTC)


def publish(
    account: SocialAccount,
    moment: datetime,
    *,
    post: Post | None = None,
    text: str = "A small bird sang.",
    **figures: int,
) -> Publication:
    publication = make_publication(account=account, post=post, text=text)
    Publication.objects.filter(pk=publication.pk).update(
        status=Status.PUBLISHED, published_at=moment, remote_id=f"r{publication.pk}"
    )
    LatestFigures.objects.create(publication=publication, **figures)
    day, _ = AnalyticsSummary.objects.get_or_create(
        owner=account.owner, account=account, network=account.network, day=moment.date()
    )
    day.published_count += 1
    for name, number in figures.items():
        setattr(day, name, getattr(day, name) + number)
    day.save()
    return publication


@pytest.fixture
def written(wren: Agent) -> Post:
    """A post that cost 0.003 and 30 tokens to write."""
    post = make_post(author=wren.profile)
    run = Run.objects.create(agent=wren, post=post, state=Run.State.DONE)
    for position in range(3):
        RunStep.objects.create(
            run=run, name=f"step{position}", position=position, cost_micros=1000, tokens_in=4, tokens_out=6
        )
    return post


def test_a_report_sums_what_was_published(alice: Profile, written: Post) -> None:
    account = make_account(owner=alice)
    publish(account, MONDAY, likes=3, post=written)
    publish(account, MONDAY + timedelta(days=1), likes=1)
    publish(account, MONDAY - timedelta(days=30), likes=99)
    found = read_report(alice, MAY, BERLIN)
    assert [(row["day"], row["posts"], row["likes"]) for row in found["days"]] == [
        ("2026-05-04", 1, 3),
        ("2026-05-05", 1, 1),
    ]
    assert found["hours"] == [
        {"weekday": 1, "hour": 20, "posts": 1, "engagement": 3},
        {"weekday": 2, "hour": 20, "posts": 1, "engagement": 1},
    ]
    assert [row["engagement"] for row in found["top_posts"]] == [3, 1]


def test_a_post_costs_once_to_however_many_accounts_it_goes(alice: Profile, written: Post) -> None:
    first, second = make_account(owner=alice), make_account(owner=alice, platform_user_id="8")
    elsewhere = make_account(owner=alice, network="bluesky")
    for account in (first, second, elsewhere):
        publish(account, MONDAY, likes=1, post=written)
    found = read_report(alice, MAY, BERLIN)
    assert found["cost"] == [{"network": "", "cost_micros": 3000, "tokens": 30}]
    assert sorted((row["network"], row["cost_micros"]) for row in found["costs"]) == [
        ("bluesky", 3000),
        ("mastodon", 3000),
    ]


def test_a_network_can_be_asked_for_and_others_figures_cannot(alice: Profile, bob: Profile) -> None:
    publish(make_account(owner=alice), MONDAY, likes=1)
    publish(make_account(owner=alice, network="bluesky"), MONDAY, likes=2)
    publish(make_account(owner=bob, platform_user_id="9"), MONDAY, likes=50)
    found = read_report(alice, Range(MAY.start, MAY.end, "bluesky"), BERLIN)
    assert [row["engagement"] for row in found["top_posts"]] == [2]
    assert [row["network"] for row in found["days"]] == ["bluesky"]
    assert [row[9] for row in rows_of(alice, MAY)] == [1, 2]


def test_rows_come_in_pages_and_none_is_lost_or_doubled(alice: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "ROWS_AT_ONCE", 3)
    account = make_account(owner=alice)
    # Two at each moment, so that a page ends between them.
    for number in range(9):
        publish(account, MONDAY + timedelta(hours=number // 2), likes=number)
    assert [row[5] for row in rows_of(alice, MAY)] == list(range(9))


@pytest.mark.parametrize("count", [2, 20])
def test_a_report_is_one_statement(count: int, alice: Profile) -> None:
    account = make_account(owner=alice)
    for number in range(count):
        publish(account, MONDAY + timedelta(hours=number), likes=number)
    with CaptureQueriesContext(connection) as queries:
        found = read_report(alice, MAY, BERLIN)
    assert len(queries) == 1
    assert len(found["top_posts"]) == min(count, 10)
