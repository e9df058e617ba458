"""What PostgreSQL's catalogue says about the indexes themselves."""

from dataclasses import dataclass

from django.db import connection

INVALID = """
    SELECT index.relname, table_.relname, ''
    FROM pg_index JOIN pg_class index ON index.oid = indexrelid JOIN pg_class table_ ON table_.oid = indrelid
    WHERE {ours} AND NOT (indisvalid AND indisready)
"""
DUPLICATE = """
    SELECT min(index.relname), min(table_.relname), 'the same as ' || max(index.relname)
    FROM pg_index JOIN pg_class index ON index.oid = indexrelid JOIN pg_class table_ ON table_.oid = indrelid
    WHERE {ours}
    GROUP BY indrelid, indkey::text, indclass::text, indcollation::text, indoption::text, index.relam,
             coalesce(pg_get_expr(indexprs, indrelid), ''), coalesce(pg_get_expr(indpred, indrelid), '')
    HAVING count(*) > 1
"""
# A partial index serves a foreign key when all it leaves out are NULLs of the key itself.
MISSING = """
    SELECT conname, table_.relname, pg_get_constraintdef(pg_constraint.oid)
    FROM pg_constraint JOIN pg_class table_ ON table_.oid = conrelid
    WHERE {ours} AND contype = 'f' AND NOT EXISTS (
        SELECT FROM pg_index
        WHERE indrelid = conrelid AND indisvalid AND (indkey::int2[])[0:cardinality(conkey) - 1] = conkey
          AND (indpred IS NULL OR pg_get_expr(indpred, indrelid) = (
              SELECT '(' || quote_ident(attname) || ' IS NOT NULL)' FROM pg_attribute
              WHERE attrelid = conrelid AND attnum = conkey[1])))
"""
UNUSED = """
    SELECT indexrelname, table_.relname, pg_size_pretty(pg_relation_size(indexrelid)) || ', never read'
    FROM pg_stat_user_indexes JOIN pg_index USING (indexrelid) JOIN pg_class table_ ON table_.oid = pg_index.indrelid
    WHERE {ours} AND idx_scan = 0 AND NOT indisunique AND NOT indisexclusion
      AND pg_relation_size(indexrelid) > 1000000
"""
# How many pages a fresh B-tree of these rows would fill, from the average widths that ANALYZE saw: 12 bytes
# per entry beside the key, pages nine tenths full. An estimate: it ignores that equal keys are kept once.
BLOATED = """
    SELECT index.relname, table_.relname,
           pg_size_pretty(pg_relation_size(index.oid)) || ', ' || round(index.relpages / expected) || ' times as large'
    FROM pg_index JOIN pg_class index ON index.oid = indexrelid JOIN pg_class table_ ON table_.oid = indrelid
    JOIN pg_am ON pg_am.oid = index.relam
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(avg_width), 8) AS width FROM pg_stats
        WHERE schemaname = current_schema() AND (
            tablename = index.relname OR tablename = table_.relname AND attname IN (
                SELECT attname FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey::int2[])))
    ) AS keys
    CROSS JOIN LATERAL (SELECT greatest(index.reltuples * (width + 12) / (8192 * 0.9), 1)::numeric AS expected) AS fresh
    WHERE {ours} AND amname = 'btree' AND index.relpages > 128 AND index.relpages > expected * 2.5
"""


@dataclass(frozen=True)
class Finding:
    """`is_failure` tells what must be mended from what should be looked at."""

    kind: str
    name: str
    table: str
    detail: str
    is_failure: bool


def findings() -> list[Finding]:
    """Return invalid, duplicate and missing indexes as failures; unused and bloated ones as remarks."""
    kinds = {
        "invalid": (INVALID, True),
        "duplicate": (DUPLICATE, True),
        "missing": (MISSING, True),
        "unused": (UNUSED, False),
        "bloated": (BLOATED, False),
    }
    found = []
    with connection.cursor() as cursor:
        for kind, (sql, is_failure) in kinds.items():
            cursor.execute(sql.replace("{ours}", "table_.relnamespace = current_schema()::regnamespace"))
            found += [
                Finding(kind=kind, name=name, table=table, detail=detail, is_failure=is_failure)
                for name, table, detail in cursor.fetchall()
            ]
    return found


def index_names() -> set[str]:
    """Return the names of all indexes of this database, those of constraints included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()")
        return {name for (name,) in cursor.fetchall()}
