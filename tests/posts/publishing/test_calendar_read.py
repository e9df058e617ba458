"""What the calendar reads: a range of local days, the first few of each, and never anybody else's."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, Profile
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.states import Status
from tests.plans import nodes_of
from tests.publishing import make_account, make_publication

pytestmark = pytest.mark.django_db

TABLE = "publishing_publication"
BERLIN = ZoneInfo("Europe/Berlin")
MAY = datetime(2026, 5, 1, tzinfo=BERLIN)
JUNE = datetime(2026, 6, 1, tzinfo=BERLIN)


@pytest.fixture
def account(alice: Profile) -> SocialAccount:
    return make_account(owner=alice)


def put(account: SocialAccount, moment: datetime, **fields: object) -> Publication:
    publication = make_publication(account=account, scheduled_at=moment)
    Publication.objects.filter(pk=publication.pk).update(**fields)
    return publication


def in_may(owner: Profile, *, per_day: int = 4) -> list[Publication]:
    return list(Publication.objects.for_calendar(owner, MAY, JUNE, zone=BERLIN, per_day=per_day))


def test_days_are_those_of_the_time_zone(alice: Profile, account: SocialAccount) -> None:
    # 22:30 UTC is half past midnight in Berlin in summer: the next day, and for the last one the next month.
    late = put(account, datetime(2026, 5, 3, 22, 30, tzinfo=UTC))
    put(account, datetime(2026, 5, 31, 22, 30, tzinfo=UTC))
    early = put(account, datetime(2026, 4, 30, 22, 0, tzinfo=UTC))
    assert [(row.pk, row.day) for row in in_may(alice)] == [(early.pk, date(2026, 5, 1)), (late.pk, date(2026, 5, 4))]


def test_a_full_day_gives_its_first_few_and_how_many_there_are(alice: Profile, account: SocialAccount) -> None:
    noon = datetime(2026, 5, 5, 12, tzinfo=UTC)
    rows = [put(account, noon + timedelta(minutes=number)) for number in reversed(range(6))]
    put(account, noon + timedelta(days=1))
    found = in_may(alice, per_day=2)
    assert [(row.pk, row.day_count) for row in found[:2]] == [(rows[-1].pk, 6), (rows[-2].pk, 6)]
    assert [row.day_count for row in found[2:]] == [1]


def test_what_went_out_at_once_is_on_the_day_it_did(alice: Profile, account: SocialAccount) -> None:
    moment = datetime(2026, 5, 9, 9, tzinfo=UTC)
    row = put(account, moment, scheduled_at=None, status=Status.PUBLISHED, published_at=moment, remote_id="1")
    assert [(found.pk, found.moment) for found in in_may(alice)] == [(row.pk, moment)]


def test_what_was_called_off_and_what_others_have_is_not_in_it(alice: Profile, account: SocialAccount) -> None:
    put(account, MAY + timedelta(days=3), status=Status.CANCELLED)
    put(make_account(platform_user_id="8"), MAY + timedelta(days=3))
    assert in_may(alice) == []


@pytest.mark.parametrize("count", [2, 20])
def test_one_statement_loads_all_that_is_shown(count: int, alice: Profile, account: SocialAccount) -> None:
    for number in range(count):
        put(account, MAY + timedelta(days=number))
        put(account, MAY + timedelta(days=number), status=Status.FAILED)
    with CaptureQueriesContext(connection) as queries:
        shown = [(row.account.handle, row.author.handle, row.beginning) for row in in_may(alice)]
    assert len(shown) == 2 * count and len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        waiting = [(row.account.handle, row.beginning) for row in Publication.objects.for_attention(alice)[:20]]
    assert len(waiting) == min(count, 20) and len(queries) == 1


def test_attention_goes_to_what_does_not_go_on_by_itself(alice: Profile, account: SocialAccount) -> None:
    moment = MAY + timedelta(days=2)
    wanted = [
        put(account, moment, status=Status.FAILED, error_class="refused"),
        put(account, moment, status=Status.UNKNOWN),
        put(account, moment, status=Status.PENDING_APPROVAL),
        put(account, moment, status=Status.QUEUED, error_class="needs_reconnect"),
    ]
    put(account, moment)
    put(account, moment, status=Status.QUEUED)
    assert [row.pk for row in Publication.objects.for_attention(alice)] == [row.pk for row in reversed(wanted)]


def test_the_range_is_found_by_the_index_of_the_calendar(alice: Profile, account: SocialAccount, wren: Agent) -> None:
    template = make_publication(account=account, scheduled_at=MAY)
    others = make_account(platform_user_id="8")
    rows = []
    for number in range(3000):
        owner = account if number % 10 == 0 else others
        rows.append(
            Publication(
                owner_id=owner.owner_id, author=wren.profile, account=owner, network="mastodon", text="x",
                status=Status.SCHEDULED, scheduled_at=MAY + timedelta(days=number % 700), fingerprint=b"1" * 32,
                idempotency_key=template.idempotency_key,
            )
        )  # fmt: skip
    Publication.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {TABLE}")
        # Django's own `explain()` puts its word into the middle of a statement that filters by a window.
        sql, parameters = Publication.objects.for_calendar(
            alice, MAY, JUNE, zone=BERLIN, per_day=4
        ).query.sql_with_params()
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        plan = cursor.fetchone()[0]
    nodes = list(nodes_of(plan[0]["Plan"]))
    assert "publication_calendar" in {node.get("Index Name") for node in nodes}
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan" and node["Relation Name"] == TABLE]
