"""The claim reads the head of a partial index, however long the backlog behind it is."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from benchmarks.publishing import schedule
from posts.publishing.models import Publication
from posts.publishing.services.claims import CLAIM, DUE
from tests.factories import make_person
from tests.publishing import make_account

pytestmark = pytest.mark.django_db

TABLE = Publication._meta.db_table
CLAIM_OF_A_HUNDRED = {"network": "mastodon", "count": 100, "task": "", "lease": 30}


@pytest.fixture
def backlog() -> None:
    """Two hundred rows are due and twenty thousand come later."""
    owner = make_person()
    accounts = [make_account(owner=owner, platform_user_id=str(number)).pk for number in range(2)]
    schedule(owner, accounts, count=200, first=timezone.now() - timedelta(hours=1), step_seconds=1)
    schedule(owner, accounts, count=20_000, first=timezone.now() + timedelta(hours=1), step_seconds=10)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE publishing_publication")


def nodes_of(statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a statement and return every node of its plan."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        found = cursor.fetchone()[0]
    return list(_walk(found[0]["Plan"]))


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _walk(child)


def scans(nodes: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many rows each scan of the table read, those it threw away included."""
    return {
        node.get("Index Name", node["Node Type"]): node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        for node in nodes
        if node.get("Relation Name") == TABLE and "Scan" in node["Node Type"]
    }


def test_the_claim_reads_the_rows_it_takes_and_no_others(backlog: None) -> None:
    nodes = nodes_of(CLAIM, CLAIM_OF_A_HUNDRED)
    assert scans(nodes) == {"publication_pending_due": 100, "publishing_publication_pkey": 100}
    # In the order of the index: sorting would read the whole backlog first.
    assert not [node for node in nodes if "Sort" in node["Node Type"]]


def test_looking_for_what_is_due_reads_one_row_of_each_network(backlog: None) -> None:
    nodes = nodes_of(DUE, {"networks": ["mastodon", "x", "bluesky"]})
    (read,) = [node for node in nodes if node.get("Relation Name") == TABLE]
    assert read["Index Name"] == "publication_pending_due"
    assert read["Actual Rows"] * read["Actual Loops"] == pytest.approx(1, abs=0.1)


def test_counting_what_is_in_flight_reads_an_index_of_those_alone(backlog: None) -> None:
    (plan,) = json.loads(Publication.objects.in_flight("mastodon").values("pk").explain(format="json", analyze=True))
    assert scans(list(_walk(plan["Plan"]))) == {"publication_in_flight": 0}
