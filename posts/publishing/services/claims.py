"""Take due rows in hand: one statement, any number of workers, nothing taken twice."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from posts.publishing.models import Publication, RateBucket
from posts.publishing.networks.base import Network, Rate
from posts.publishing.querysets import LEASE_SECONDS
from posts.publishing.services import limits
from posts.publishing.states import Status

# Raw, because the ORM has no UPDATE ... RETURNING over SKIP LOCKED that also writes the events. The
# conditions repeat those of the index `publication_pending_due` word for word, or it would not be used.
# A row whose lease ran out while a request may have been on its way is unknown from here on.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id, status FROM publishing_publication
    WHERE network = %(network)s AND status IN ('scheduled', 'queued', 'sending', 'unknown')
        AND due_at IS NOT NULL AND due_at <= now()
    ORDER BY due_at LIMIT %(count)s
    FOR NO KEY UPDATE SKIP LOCKED
), claimed AS (
    UPDATE publishing_publication AS row
    SET status = CASE due.status WHEN 'scheduled' THEN 'queued' WHEN 'sending' THEN 'unknown' ELSE due.status END,
        fence = row.fence + 1, celery_task = %(task)s,
        lease_until = now() + %(lease)s * interval '1 second', due_at = now() + %(lease)s * interval '1 second'
    -- The array keeps the planner from reading the whole table for a join with a hundred rows.
    FROM due WHERE row.id = due.id AND row.id = ANY (ARRAY(SELECT id FROM due))
    RETURNING row.id, row.account_id, due.status AS before, row.status AS after
), told AS (
    INSERT INTO publishing_publicationevent (publication_id, from_status, to_status, reason)
    SELECT id, before, after, CASE before WHEN 'sending' THEN 'The lease ran out' ELSE 'Due' END
    FROM claimed WHERE before <> after
)
SELECT id, account_id, after FROM claimed
"""

# One statement for all networks, several times a second: each is a look at the head of the same index. LATERAL with
# a limit, because the planner makes a join over everything that is due of an EXISTS.
DUE = """
SELECT name FROM unnest(%(networks)s::text[]) AS name, LATERAL (
    SELECT FROM publishing_publication
    WHERE network = name AND status IN ('scheduled', 'queued', 'sending', 'unknown')
        AND due_at IS NOT NULL AND due_at <= now()
    ORDER BY due_at LIMIT 1
) AS head
"""


class Claim(NamedTuple):
    id: int
    account_id: int
    status: str


def networks_with_due(networks: Iterable[str]) -> list[str]:
    """Return those of the networks on which something is due."""
    if not (names := list(networks)):
        return []
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"networks": names})
        return [name for (name,) in cursor.fetchall()]


def claim_rows(*, network: str, count: int, task: str = "") -> list[Claim]:
    """Claim up to `count` due rows of a network under a lease, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"network": network, "count": count, "task": task, "lease": LEASE_SECONDS})
        return [Claim(*row) for row in cursor.fetchall()]


def claim_due(*, network: Network, count: int, task: str = "") -> list[Publication]:
    """Claim due rows within the network's concurrency cap and each account's rate limit.

    Return them loaded for sending. While another worker is claiming for this network, return none.
    """
    with transaction.atomic():
        free = _free_slots(network)
        claims = claim_rows(network=network.name, count=min(count, free), task=task) if free > 0 else []
        if not claims:
            return []
        refused = _charge(network, claims)
    ids = [claim.id for claim in claims if claim.id not in refused]
    return list(Publication.objects.filter(pk__in=ids).for_sending())


def _free_slots(network: Network) -> int:
    """Return how many more requests may be in flight; the gate's row lock makes the count exact."""
    gate = RateBucket.objects.select_for_update(skip_locked=True).filter(key=limits.gate_key(network.name))
    if not gate.exists():
        limits.ensure_buckets({limits.gate_key(network.name): Rate(network.concurrency, 1)})
        if not gate.exists():
            return 0
    return network.concurrency - Publication.objects.in_flight(network.name).count()


def _charge(network: Network, claims: list[Claim]) -> set[int]:
    """Take a token per row that will be sent; put back those that have to wait, each to its own turn."""
    to_send = [claim for claim in claims if claim.status == Status.QUEUED]
    wanted = Counter(limits.account_key(claim.account_id) for claim in to_send)
    granted = limits.take(wanted)
    if missing := wanted.keys() - granted.keys():
        limits.ensure_buckets(dict.fromkeys(missing, network.rate))
        granted |= limits.take({key: wanted[key] for key in missing})
    refused: dict[int, datetime] = {}
    for key, (count, turns) in granted.items():
        rows = [claim.id for claim in to_send if limits.account_key(claim.account_id) == key]
        refused |= dict(zip(rows[count:], turns, strict=True))
    if refused:
        Publication.objects.bulk_update(
            [Publication(pk=row, due_at=turn, lease_until=None) for row, turn in refused.items()],
            ["due_at", "lease_until"],
        )
    return set(refused)
