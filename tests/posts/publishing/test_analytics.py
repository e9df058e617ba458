from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Profile
from posts.publishing.models import AnalyticsSummary, LatestFigures, MetricSample, Publication, SocialAccount
from posts.publishing.networks.base import Figures, Receipt
from posts.publishing.services import metrics, outcomes
from posts.publishing.states import Status
from tests.conftest import MakeClient
from tests.networks.speakers import MastodonSpeaker
from tests.publishing import make_account, make_publication, publish_all

pytestmark = pytest.mark.django_db

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=3)


def make_published(account: SocialAccount, *, at: datetime = NOON, likes: int = 0, number: int = 0) -> Publication:
    publication = make_publication(account=account, text=f"Bird {number}")
    Publication.objects.filter(pk=publication.pk).update(status=Status.SENDING, lease_until=timezone.now())
    publication.refresh_from_db()
    outcomes.record_published(publication, Receipt(f"r{publication.pk}", published_at=at), reason="Test")
    publication.refresh_from_db()
    metrics.record_figures(publication=publication, figures=Figures(likes=likes, comments=1))
    return publication


@pytest.mark.django_db(transaction=True)
def test_figures_come_back_from_the_network_and_the_next_fetch_is_later(
    mastodon: MastodonSpeaker, account_on: Callable[..., SocialAccount]
) -> None:
    publication = make_publication(account=account_on("mastodon"))
    publish_all()
    publication.refresh_from_db()
    assert publication.published_at
    waits = []
    for _ in range(12):
        figures = LatestFigures.objects.get()
        if figures.due_at is None:
            break
        waits.append(round((figures.due_at - publication.published_at).total_seconds() / 60))
        LatestFigures.objects.update(due_at=timezone.now())
        assert metrics.fetch_due() == 1
    assert waits == list(metrics.MINUTES_AFTER)
    assert MetricSample.objects.filter(likes=3, comments=2, shares=1).count() == len(waits)
    summary = AnalyticsSummary.objects.get()
    assert (summary.published_count, summary.likes, summary.comments, summary.shares) == (1, 3, 2, 1)


def test_the_summary_follows_new_figures_at_once_though_it_is_cached(
    alice: Profile, client_of: MakeClient, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    publication = make_published(make_account(owner=alice), likes=5)
    client = client_of(alice)
    assert client.get("/api/analytics/summary").json()["total"]["likes"] == 5
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        metrics.record_figures(publication=publication, figures=Figures(likes=9, comments=1))
    assert client.get("/api/analytics/summary").json()["total"] == {
        "likes": 9,
        "comments": 1,
        "shares": 0,
        "views": 0,
        "published_count": 1,
    }


def test_a_second_reading_costs_no_query_of_its_own(
    alice: Profile, client_of: MakeClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_published(make_account(owner=alice))
    client = client_of(alice)
    client.get("/api/analytics/platforms")
    # The key with its profile.
    with django_assert_num_queries(1):
        client.get("/api/analytics/platforms")


def test_posts_platforms_and_best_times_rank_what_moved_most(alice: Profile, client_of: MakeClient) -> None:
    mastodon, x = (make_account(owner=alice, network=network) for network in ("mastodon", "x"))
    make_published(mastodon, likes=2, number=1)
    make_published(x, at=NOON + timedelta(hours=5), likes=40, number=2)
    client = client_of(alice)
    posts = client.get("/api/analytics/posts").json()["posts"]
    assert [(row["network"], row["engagement"], row["tokens"], row["cost_micros"]) for row in posts] == [
        ("x", 41, 0, 0),
        ("mastodon", 3, 0, 0),
    ]
    platforms = client.get("/api/analytics/platforms").json()["platforms"]
    assert [(row["network"], row["likes"]) for row in platforms] == [("mastodon", 2), ("x", 40)]
    best = client.get("/api/analytics/best-times", {"time_zone": "Asia/Kolkata"}).json()["best_times"][0]
    assert (best["hour"], best["engagement"]) == (22, 41)


def test_others_figures_are_not_in_it(alice: Profile, charlie: Profile, client_of: MakeClient) -> None:
    account = make_account(owner=alice)
    make_published(account, likes=7)
    client = client_of(charlie)
    assert client.get("/api/analytics/summary", {"account": account.pk}).json()["days"] == []
    assert client.get("/api/analytics/posts").json() == {"posts": []}


@pytest.mark.parametrize(
    "query", [{"start": "2026-02-30"}, {"start": "2020-01-01"}, {"time_zone": "x"}, {"limit": 101}]
)
def test_ranges_are_checked(query: dict[str, str], alice: Profile, client_of: MakeClient) -> None:
    for path in ("summary", "platforms", "posts", "best-times"):
        assert client_of(alice).get(f"/api/analytics/{path}", query).status_code == 400
