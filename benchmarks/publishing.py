"""How fast posts leave the house. What is made is removed again.

Three figures: ten thousand posts due within one minute on two workers, the claim of a hundred due rows among many
scheduled ones, and an analytics summary over a million metric rows.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median, quantiles
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import Profile
from agents.services.people import create_person
from performance.caches import caches
from posts.publishing import analytics
from posts.publishing.models import AnalyticsSummary, Publication, SocialAccount
from posts.publishing.services.claims import claim_rows
from posts.publishing.tokens import Token

type Row = dict[str, str | float]

WORKERS = 2
ACCOUNTS = 100
HANDLE = "benchmark-publisher"

# What a Celery worker does with the pokes of a minute and a half, without Celery's share of the processor.
WORKER = """
import django, sys, time
django.setup()
from posts.publishing.worker import Worker
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    Worker(networks=["mastodon"]).run(seconds=20)
    time.sleep(0.5)
"""
INSERT = """
INSERT INTO publishing_publication (owner_id, author_id, account_id, network, text, image, image_alt, status,
    scheduled_at, due_at, attempt, fence, celery_task, fingerprint, idempotency_key, remote_url, remote_data,
    error_class, error_detail, created_at)
SELECT %(owner)s, %(owner)s, (%(accounts)s::bigint[])[1 + n %% %(account_count)s], 'mastodon', 'Bird ' || n, '', '',
    'scheduled', %(first)s::timestamptz + n * %(step)s * interval '1 second',
    %(first)s::timestamptz + n * %(step)s * interval '1 second', 0, 0, '', ''::bytea, gen_random_uuid(), '', '{}', '',
    '', now()
FROM generate_series(1, %(count)s) AS n
"""


@contextmanager
def publisher(base_url: str = "") -> Iterator[tuple[Profile, list[int]]]:
    """Make a person with a hundred accounts; remove both, and all that was published, afterwards."""
    with connection.cursor() as cursor:
        # Putting a million rows there takes longer than anything that the house does.
        cursor.execute("SET statement_timeout = 0")
    remove()
    owner = create_person(username=HANDLE, password=None)
    accounts = SocialAccount.objects.bulk_create(
        SocialAccount(
            owner=owner, network="mastodon", platform_user_id=f"{n}@bench", base_url=base_url,
            access_token=Token.seal("token"),
        )
        for n in range(ACCOUNTS)
    )  # fmt: skip
    try:
        yield owner, [account.pk for account in accounts]
    finally:
        remove()


def remove() -> None:
    owner = Profile.objects.filter(handle=HANDLE).first()
    if owner is None:
        return
    with connection.cursor() as cursor:
        for table in ("publicationevent", "metricsample", "latestfigures"):
            cursor.execute(
                f"DELETE FROM publishing_{table} WHERE publication_id IN"
                " (SELECT id FROM publishing_publication WHERE owner_id = %s)",
                [owner.pk],
            )
        for table in ("publication", "analyticssummary"):
            cursor.execute(f"DELETE FROM publishing_{table} WHERE owner_id = %s", [owner.pk])
        cursor.execute("DELETE FROM publishing_ratebucket")
    SocialAccount.objects.filter(owner=owner).delete()
    if owner.user:
        owner.user.delete()


def schedule(owner: Profile, accounts: list[int], *, count: int, first: Any, step_seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            {
                "owner": owner.pk,
                "accounts": accounts,
                "account_count": len(accounts),
                "first": first,
                "step": step_seconds,
                "count": count,
            },
        )


def one_minute(count: int = 10_000) -> Iterator[Row]:
    """Publish what is due within one minute on two workers, to a network that takes 50 ms to answer."""
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.slow_network"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    environment = os.environ | {"FETCH_ALLOWED_NETWORKS": "127.0.0.0/8"}
    environment["BENCH_DATABASE"] = str(connection.settings_dict["NAME"])
    try:
        with publisher(url) as (owner, accounts):
            command = [sys.executable, "-c", WORKER, "75"]
            workers = [subprocess.Popen(command, env=environment) for _ in range(WORKERS)]
            first = timezone.now() + timedelta(seconds=6)
            schedule(owner, accounts, count=count, first=first, step_seconds=60 / count)
            for worker in workers:
                worker.wait()
            rows = Publication.objects.filter(owner=owner, status="published")
            times: list[tuple[Any, Any]] = list(rows.values_list("last_sent_at", "scheduled_at"))
            lags = [(sent - due).total_seconds() for sent, due in times]
            last = max(sent for sent, _ in times)
            attempts = sum(rows.values_list("attempt", flat=True))
    finally:
        server.kill()
        server.wait()
    yield figure(f"{count} posts due within a minute: sent", len(lags), "==", count, "posts")
    yield figure("requests per post", attempts / len(lags), "<=", 1, "")
    yield figure("all sent after", (last - first).total_seconds(), "<=", 62, "s")
    yield figure("lag from due to request, P95", quantiles(lags, n=20)[-1], "<=", 2, "s")


def claims(sizes: tuple[int, ...] = (10_000, 1_000_000)) -> Iterator[Row]:
    """Time the claim of 100 due rows among scheduled ones; what is claimed is put back."""
    medians = []
    for size in sizes:
        with publisher() as (owner, accounts):
            # A tenth of a percent is due, the rest comes later.
            schedule(owner, accounts, count=1000, first=timezone.now() - timedelta(hours=1), step_seconds=1)
            schedule(owner, accounts, count=size, first=timezone.now() + timedelta(hours=1), step_seconds=10)
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE publishing_publication")
            medians.append(median(milliseconds(claim_and_put_back) for _ in range(21)))
            with CaptureQueriesContext(connection) as queries:
                claim_and_put_back()
            statements = sum(not query["sql"].startswith(("BEGIN", "ROLLBACK")) for query in queries)
        yield figure(f"claim of 100 among {size} scheduled", medians[-1], "<=", 10, "ms")
    yield figure("claim: statements", statements, "<=", 1, "statements")
    yield figure("claim: growth from the smaller to the larger", medians[-1] / medians[0], "<=", 1.5, "x")


def claim_and_put_back() -> None:
    with transaction.atomic():
        assert len(claim_rows(network="mastodon", count=100)) == 100
        transaction.set_rollback(True)


def summaries(samples: int = 1_000_000, days: int = 365) -> Iterator[Row]:
    """Time a year's analytics summary, with a million metric rows behind it, cold and cached."""
    with publisher() as (owner, accounts):
        schedule(owner, accounts, count=samples // 100, first=timezone.now(), step_seconds=1)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO publishing_metricsample (publication_id, likes, comments, shares, views, fetched_at)"
                " SELECT id, n, n, n, n, now() - n * interval '1 hour' FROM publishing_publication,"
                " generate_series(1, 100) AS n WHERE owner_id = %s",
                [owner.pk],
            )
        today = timezone.now().date()
        AnalyticsSummary.objects.bulk_create(
            AnalyticsSummary(
                owner=owner, account_id=account, network="mastodon", day=today - timedelta(days=day), likes=day,
                published_count=1,
            )
            for account in accounts
            for day in range(days)
        )  # fmt: skip
        start, end = today - timedelta(days=days), today + timedelta(days=1)
        cold = [milliseconds(lambda: analytics.summary(owner, start, end)) for _ in range(11)]
        read: Callable[[], Any] = lambda: caches["dashboard"].get_or_compute(  # noqa: E731
            "benchmark", lambda: analytics.summary(owner, start, end)
        )
        read()
        cached = [milliseconds(read) for _ in range(51)]
        caches["dashboard"].delete("benchmark")
    yield figure(f"analytics summary of a year, {samples} metric rows, cold", median(cold), "<=", 50, "ms")
    yield figure("the same, cached", median(cached), "<=", 5, "ms")


def milliseconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def figure(name: str, value: float, op: str, goal: float, unit: str) -> Row:
    return {"name": name, "value": round(value, 3), "op": op, "goal": goal, "unit": unit}


def rows() -> list[Row]:
    """Measure everything; `value op goal` is what must hold."""
    return [*claims(), *summaries(), *one_minute()]
