"""The two steps that every publication takes, for many rows in one statement.

A busy minute is bound by round trips, not by work: row by row these two cost ten times as much. Raw, because the
ORM has no UPDATE over given pairs of id and fence that returns rows and writes their events. Who holds an older fence
than the row has is not among the rows returned.

Both lock their rows before they change any, in the order that `transitions` gives: that of a join is the planner's.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from performance.caches import invalidate
from posts.publishing.models import Publication
from posts.publishing.networks.base import Receipt
from posts.publishing.querysets import LEASE_SECONDS
from posts.publishing.services.metrics import MINUTES_AFTER, analytics_tag
from posts.publishing.services.webhooks import announce
from posts.publishing.states import Status

BEGIN = """
WITH held AS MATERIALIZED (
    SELECT row.id FROM publishing_publication AS row
    JOIN unnest(%(ids)s::bigint[], %(fences)s::int[]) AS mine (id, fence) ON row.id = mine.id AND row.fence = mine.fence
    WHERE row.status = 'queued' AND row.lease_until > now()
    ORDER BY row.id FOR NO KEY UPDATE OF row
), begun AS (
    UPDATE publishing_publication
    SET status = 'sending', attempt = attempt + 1,
        first_sent_at = coalesce(first_sent_at, now()), last_sent_at = now(),
        lease_until = now() + %(lease)s * interval '1 second', due_at = now() + %(lease)s * interval '1 second'
    WHERE id = ANY (ARRAY(SELECT id FROM held))
    RETURNING id
), told AS (
    INSERT INTO publishing_publicationevent (publication_id, from_status, to_status, reason)
    SELECT id, 'queued', 'sending', '' FROM begun
)
SELECT id FROM begun
"""

# With the parts that follow, which are released: those that another worker publishes may lie between them. The full
# lock, because the remote id is part of a key.
PUBLISH = """
WITH held AS MATERIALIZED (
    SELECT id FROM publishing_publication
    WHERE id = ANY (%(ids)s::bigint[]) OR previous_id = ANY (%(ids)s::bigint[])
    ORDER BY id FOR UPDATE
), published AS (
    UPDATE publishing_publication AS row
    SET status = 'published', remote_id = proof.remote_id, remote_url = proof.url, remote_data = proof.data,
        published_at = proof.published_at, due_at = NULL, lease_until = NULL, celery_task = '', error_class = '',
        error_detail = ''
    FROM unnest(%(ids)s::bigint[], %(fences)s::int[], %(remote_ids)s::text[], %(urls)s::text[], %(data)s::jsonb[],
        %(moments)s::timestamptz[]) AS proof (id, fence, remote_id, url, data, published_at)
    WHERE row.id = proof.id AND row.fence = proof.fence AND row.status = 'sending'
        AND row.id = ANY (ARRAY(SELECT id FROM held))
    RETURNING row.id, row.owner_id, row.account_id, row.network, row.published_at
), told AS (
    INSERT INTO publishing_publicationevent (publication_id, from_status, to_status, reason)
    SELECT id, 'sending', 'published', 'Accepted by the network' FROM published
), followed AS (
    INSERT INTO publishing_latestfigures (publication_id, likes, comments, shares, views, fetch_count, due_at)
    SELECT id, 0, 0, 0, 0, 0, published_at + %(minutes)s * interval '1 minute' FROM published
), counted AS (
    INSERT INTO publishing_analyticssummary AS day
        (owner_id, account_id, network, day, published_count, likes, comments, shares, views)
    SELECT owner_id, account_id, network, (published_at AT TIME ZONE 'UTC')::date, count(*), 0, 0, 0, 0
    FROM published GROUP BY 1, 2, 3, 4 ORDER BY 2, 4
    ON CONFLICT (account_id, day) DO UPDATE SET published_count = day.published_count + excluded.published_count
), released AS (
    UPDATE publishing_publication SET due_at = now()
    WHERE previous_id IN (SELECT id FROM published) AND status IN ('scheduled', 'queued')
)
SELECT id, EXISTS (SELECT FROM publishing_webhookendpoint AS told WHERE told.owner_id = published.owner_id)
FROM published
"""


def _returned(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def begin_many(publications: Sequence[Publication]) -> list[Publication]:
    """Commit that requests may leave the house from now on; return those that still were in the caller's hands."""
    ids, fences = [row.pk for row in publications], [row.fence for row in publications]
    begun = {row[0] for row in _returned(BEGIN, {"ids": ids, "fences": fences, "lease": LEASE_SECONDS})}
    mine = [row for row in publications if row.pk in begun]
    for row in mine:
        row.status, row.attempt = Status.SENDING, row.attempt + 1
    return mine


@transaction.atomic
def publish_many(proofs: Sequence[tuple[Publication, Receipt]]) -> None:
    """Record the proof that posts are out, let the next parts of threads go, begin to follow the figures.

    Raises `IntegrityError`, and nothing is written, when one of the proofs belongs to another publication.
    """
    now = timezone.now()
    returned = _returned(
        PUBLISH,
        {
            "ids": [row.pk for row, _ in proofs],
            "fences": [row.fence for row, _ in proofs],
            "remote_ids": [receipt.remote_id for _, receipt in proofs],
            "urls": [receipt.url for _, receipt in proofs],
            "data": [Jsonb(receipt.data) for _, receipt in proofs],
            "moments": [receipt.published_at or now for _, receipt in proofs],
            "minutes": MINUTES_AFTER[0],
        },
    )
    has_listeners: dict[int, bool] = dict(returned)
    for row, receipt in proofs:
        if has_listeners.get(row.pk):
            announce(owner_id=row.owner_id, kind="published", publication=row.pk, url=receipt.url)
    invalidate(*{analytics_tag(row.owner_id) for row, _ in proofs if row.pk in has_listeners})
