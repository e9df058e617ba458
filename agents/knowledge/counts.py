"""How much there is, and what waits, in one statement that takes as long for a million rows as for ten thousand.

Up to `EXACT_UP_TO` rows are counted, through an index; beyond that stands PostgreSQL's own estimate, which VACUUM and
ANALYZE keep, and which says so. An exact count of a million rows reads a million index entries, whoever asks.
"""

from dataclasses import dataclass

from django.db import connection

from agents.knowledge.models import (
    Attribution,
    Author,
    Card,
    Content,
    LedgerEntry,
    Passage,
    Pattern,
    ResearchSession,
    Source,
)

EXACT_UP_TO = 10_000
TABLES = {
    "attributions": Attribution,
    "authors": Author,
    "cards": Card,
    "contents": Content,
    "ledger_entries": LedgerEntry,
    "passages": Passage,
    "patterns": Pattern,
    "research_sessions": ResearchSession,
    "sources": Source,
}
# Work that waits is found through an index of nothing else.
WAITING = {
    "contents_to_index": (Content, "analyzed_at IS NULL ORDER BY id"),
    "sources_due": (Source, "due_at <= now() ORDER BY due_at"),
}


@dataclass(frozen=True, slots=True)
class Count:
    count: int
    is_estimate: bool


def statement() -> str:
    """Return the statement that counts everything: rows of (name, counted, estimated or NULL)."""
    counted = "(SELECT count(*) FROM (SELECT FROM {table} {condition} LIMIT {limit}) AS first_rows)"
    estimated = "(SELECT reltuples::bigint FROM pg_class WHERE oid = '{table}'::regclass)"
    rows = [(name, model._meta.db_table, "ORDER BY id", estimated) for name, model in TABLES.items()]
    rows += [(name, model._meta.db_table, f"WHERE {where}", "NULL") for name, (model, where) in WAITING.items()]
    return " UNION ALL ".join(
        f"SELECT '{name}', {counted}, {estimate}".format(table=table, condition=condition, limit=EXACT_UP_TO + 1)
        for name, table, condition, estimate in rows
    )


def read_counts() -> dict[str, Count]:
    """Count every table of this room, and the work that waits."""
    with connection.cursor() as cursor:
        cursor.execute(statement())
        return {name: _count(counted, estimated) for name, counted, estimated in cursor.fetchall()}


def _count(counted: int, estimated: int | None) -> Count:
    if counted <= EXACT_UP_TO:
        return Count(counted, is_estimate=False)
    # A table that was never analysed has no estimate, and what waits has none: there are at least so many.
    return Count(max(counted - 1, estimated or 0), is_estimate=True)
