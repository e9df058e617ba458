"""One report of slow statements from what pg_stat_statements and silk saw."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.apps import apps
from django.db import Error, connection, transaction

from performance.indexes.plans import nodes_of
from performance.masking import without_values

SEEN_BY_POSTGRESQL = """
    SELECT query, calls, mean_exec_time, max_exec_time FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND query ~* '^\\s*(select|insert|update|delete|with)\\y' AND query !~* 'pg_(stat|catalog|class|index)'
    ORDER BY mean_exec_time DESC LIMIT %s
"""
SILK_SAMPLE = 20_000


@dataclass
class SlowQuery:
    """Times in milliseconds; `p95_ms` is None where only sums were kept."""

    statement: str
    source: str
    calls: int
    mean_ms: float
    max_ms: float
    p95_ms: float | None = None
    plan: str = ""
    advice: str = ""


def slow_queries(*, limit: int) -> list[SlowQuery]:
    """Return the slowest statements of each source, with plan and advice, the slowest on average first."""
    found = [*_from_postgresql(limit), *_from_silk(limit)]
    found.sort(key=lambda query: -query.mean_ms)
    for query in found[:limit]:
        query.plan, query.advice = examine(query.statement)
    return found[:limit]


def has_pg_stat_statements() -> bool:
    """Tell whether PostgreSQL keeps statistics of statements: the library is loaded and the extension made."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_stat_statements LIMIT 1")
    except Error:
        return False
    return True


def _from_postgresql(limit: int) -> Iterator[SlowQuery]:
    if not has_pg_stat_statements():
        return
    with connection.cursor() as cursor:
        cursor.execute(SEEN_BY_POSTGRESQL, [limit])
        rows = cursor.fetchall()
    for statement, calls, mean_ms, max_ms in rows:
        yield SlowQuery(without_values(statement), "pg_stat_statements", calls, mean_ms, max_ms)


def _from_silk(limit: int) -> list[SlowQuery]:
    if not apps.is_installed("silk"):
        return []
    from silk.models import SQLQuery

    times: defaultdict[str, list[float]] = defaultdict(list)
    newest = SQLQuery.objects.order_by("-id").values_list("query", "time_taken")[:SILK_SAMPLE]
    for statement, milliseconds in newest.iterator():
        times[without_values(statement)].append(milliseconds or 0.0)
    found = [
        SlowQuery(
            statement=statement,
            source="silk",
            calls=len(each),
            mean_ms=sum(each) / len(each),
            max_ms=max(each),
            p95_ms=sorted(each)[ceil(0.95 * len(each)) - 1],
        )
        for statement, each in times.items()
    ]
    return sorted(found, key=lambda query: -query.mean_ms)[:limit]


def examine(statement: str) -> tuple[str, str]:
    """Return the outline of a statement's generic plan, and the index that would help if one is plain to see."""
    numbered = _numbered(statement)
    if ";" in numbered:
        return "", ""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {numbered}".replace("%", "%%"), ())
            (found,) = cursor.fetchone()
    except Error:
        return "no plan without the values", ""
    nodes = list(nodes_of(found))
    outline = " < ".join(filter(None, map(_outline, nodes)))
    return outline, "; ".join(filter(None, map(_advice, nodes)))


def _numbered(statement: str) -> str:
    """Put $1, $2, ... in place of the values that were taken out."""
    taken = max((int(number) for number in re.findall(r"\$(\d+)", statement)), default=0)
    statement = statement.replace("(…)", "(?)")

    def number(_: re.Match[str]) -> str:
        nonlocal taken
        taken += 1
        return f"${taken}"

    return re.sub(r"%s|\?", number, statement)


def _outline(node: dict[str, Any]) -> str:
    target = node.get("Index Name") or node.get("Relation Name")
    return f"{node['Node Type']} {target}" if target else ""


def _advice(node: dict[str, Any]) -> str:
    """Name the columns of a filter on a table that is read from end to end: equalities first, then one range."""
    if node["Node Type"] != "Seq Scan" or "Filter" not in node or node["Plan Rows"] > 10_000:
        return ""
    equal, ranged = (
        re.findall(rf"\((\w+)\)?(?:::[\w ]+)? {operator} ", node["Filter"]) for operator in ("=", "[<>]=?")
    )
    wanted = list(dict.fromkeys([*equal, *ranged[:1]]))
    return f"index {node['Relation Name']} ({', '.join(wanted)})" if wanted else ""
