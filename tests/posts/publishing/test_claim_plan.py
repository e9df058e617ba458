from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from benchmarks.publishing import schedule
from posts.publishing.services.claims import CLAIM
from tests.factories import make_person
from tests.publishing import make_account

pytestmark = pytest.mark.django_db


def test_the_claim_reads_the_partial_index_and_never_the_whole_table() -> None:
    owner = make_person()
    accounts = [make_account(owner=owner, platform_user_id=str(number)).pk for number in range(2)]
    schedule(owner, accounts, count=200, first=timezone.now() - timedelta(hours=1), step_seconds=1)
    schedule(owner, accounts, count=20_000, first=timezone.now() + timedelta(hours=1), step_seconds=10)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE publishing_publication")
        cursor.execute(f"EXPLAIN {CLAIM}", {"network": "mastodon", "count": 100, "task": "", "lease": 30})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using publication_pending_due" in plan
    assert "Seq Scan on publishing_publication" not in plan
