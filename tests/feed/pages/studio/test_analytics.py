"""The analytics page and its CSV: few statements, the same figures as text, and nothing a spreadsheet executes."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import Profile
from feed.pages.studio.analytics import harmless
from posts.models import Post
from posts.publishing.models import SocialAccount
from tests.budgets import assert_within_budget
from tests.posts.publishing.test_report import publish, written  # noqa: F401
from tests.publishing import make_account

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture
def account(alice: Profile) -> SocialAccount:
    return make_account(owner=alice, handle="<b>wren</b>")


@pytest.mark.parametrize("count", [2, 20])
def test_the_page_takes_three_statements(
    count: int, alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    # The user; the whole report.
    for number in range(count):
        publish(account, YESTERDAY, likes=number, text="<script>alert(1)</script>")
    page = assert_within_budget(browser_of(alice), "/studio/analytics/", exact=True)
    assert "<script>alert" not in page.text
    assert f"<dd>{sum(range(count))}</dd>" in page.text


def test_every_chart_says_what_it_shows_and_is_there_as_a_table(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    moment = datetime.combine(YESTERDAY.date(), datetime.min.time(), UTC)
    publish(account, moment, likes=3)
    page = browser_of(alice).get("/studio/analytics/").text
    assert page.count('<svg class="chart"') == 3 and page.count("<desc") == 3
    label = f"{moment.day} {moment:%b}"
    assert f"<title>{label}: 1</title>" in page
    assert f'<th scope="row">{label}</th><td>3</td>' in page
    assert "3.0 on average of 1 post" in page


def test_what_writing_cost_is_divided_by_what_it_brought_in(
    alice: Profile,
    account: SocialAccount,
    written: Post,  # noqa: F811
    browser_of: BrowserOf,
) -> None:
    publish(account, YESTERDAY, likes=4, post=written)
    page = browser_of(alice).get("/studio/analytics/").text
    assert "<dt>Cost of writing</dt><dd>0.0030</dd>" in page
    # 0.003 for four likes, in the chart and in its table.
    assert page.count("0.0008</text>") == 1 and '<th scope="row">Mastodon</th><td>0.0008</td>' in page


def test_without_figures_the_page_says_what_to_do(alice: Profile, browser_of: BrowserOf) -> None:
    page = browser_of(alice).get("/studio/analytics/").text
    assert "Nothing was published in these days" in page and "There is nothing to show." in page


def test_a_range_and_a_network_can_be_chosen(alice: Profile, account: SocialAccount, browser_of: BrowserOf) -> None:
    publish(account, YESTERDAY, likes=3)
    publish(make_account(owner=alice, network="bluesky"), YESTERDAY, likes=70)
    client = browser_of(alice)
    assert "<dd>73</dd>" in client.get("/studio/analytics/").text
    assert "<dd>3</dd>" in client.get("/studio/analytics/?network=mastodon").text
    day = (YESTERDAY - timedelta(days=3)).date()
    assert "<dd>73</dd>" not in client.get(f"/studio/analytics/?start={day}&end={day}").text
    assert client.get(f"/studio/analytics/?start={day.replace(year=day.year - 1)}&end={day}").status_code in (200, 422)


@pytest.mark.parametrize(
    "query", ["start=never", "start=2026-05-02&end=2026-05-01", "start=1900-01-01", "end=9999-12-31", "network=<b>"]
)
def test_a_range_that_cannot_be_is_said(query: str, alice: Profile, browser_of: BrowserOf) -> None:
    page = browser_of(alice).get(f"/studio/analytics/?{query}")
    assert page.status_code == 422 and "The last thirty days are shown." in page.text
    assert browser_of(alice).get(f"/studio/analytics/publications.csv?{query}").status_code == 422


def test_the_figures_of_others_stay_theirs(alice: Profile, bob: Profile, browser_of: BrowserOf) -> None:
    publish(make_account(owner=bob, platform_user_id="8"), YESTERDAY, likes=41)
    assert "41" not in browser_of(alice).get("/studio/analytics/").text.partition("<main")[2].partition("<svg")[0]
    assert len(list(browser_of(alice).get("/studio/analytics/publications.csv").streaming_content)) == 1  # type: ignore[attr-defined]
    assert browser_of(None).get("/studio/analytics/publications.csv")["Location"].startswith("/log-in")


@pytest.mark.parametrize("count", [2, 20])
def test_the_csv_holds_every_row_and_no_formula(
    count: int, alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    for number in range(count):
        publish(account, YESTERDAY, likes=number, text=f'=HYPERLINK("https://example.org/{number}","x"), and more')
    client = browser_of(alice)
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/studio/analytics/publications.csv")
        lines = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    # The user; the rows.
    assert len(queries) == 2
    rows = list(csv.DictReader(io.StringIO(lines)))
    assert [row["likes"] for row in rows] == [str(number) for number in range(count)]
    assert rows[0]["text"] == '\'=HYPERLINK("https://example.org/0","x"), and more'
    assert response["Content-Disposition"].startswith('attachment; filename="publications-')


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_execute_is_quoted(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless("A bird") == "A bird" and harmless(-1) == -1
