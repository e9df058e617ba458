"""Asks the planner how it would run a query, and reads its answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction

from performance.hot_queries import HotQuery, Statement

# Reading this much in one go is quicker than any index; the planner is right to do so.
SMALL_TABLE_PAGES = 16

SIZES = (
    "SELECT relname, pg_relation_size(oid) / current_setting('block_size')::int FROM pg_class WHERE relname = ANY(%s)"
)


@dataclass(frozen=True)
class Plan:
    indexes: frozenset[str]
    sequential_scans: frozenset[str]
    tables: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What EXPLAIN said about one hot query. `problem` is empty when it is as declared."""

    query: HotQuery
    problem: str = ""
    note: str = ""


def verify(query: HotQuery) -> Verdict:
    """Check that a query uses its indexes without reading a table from end to end.

    Where a table is so small that the planner rightly reads all of it, the index must at least serve once
    sequential scans are switched off.
    """
    try:
        statement = query.build()
        plan = explain(statement)
    except (ObjectDoesNotExist, IndexError) as error:
        return Verdict(query=query, problem=f"no rows to try it on ({error}); run manage.py seed_load first")
    if not (problem := _problem(query, plan)):
        return Verdict(query=query)
    pages = _pages(plan.tables)
    if any(pages[table] > SMALL_TABLE_PAGES for table in plan.sequential_scans):
        return Verdict(query=query, problem=problem)
    again = explain(statement, without_sequential_scans=True)
    if query.indexes <= again.indexes:
        return Verdict(query=query, note=f"{_names(plan.sequential_scans)} too small to need it")
    if empty := frozenset(table for table in plan.tables if not pages.get(table)):
        return Verdict(query=query, note=f"not proved: {_names(empty)} empty")
    return Verdict(query=query, problem=problem)


def explain(statement: Statement, *, without_sequential_scans: bool = False) -> Plan:
    """Return the plan of a statement, which is not run."""
    sql, parameters = statement if isinstance(statement, tuple) else statement.query.sql_with_params()
    with transaction.atomic(), connection.cursor() as cursor:
        if without_sequential_scans:
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)  # type: ignore[arg-type]
        (found,) = cursor.fetchone()
        if without_sequential_scans:
            cursor.execute("SET LOCAL enable_seqscan = on")
    nodes = list(nodes_of(found))
    return Plan(
        indexes=frozenset(node["Index Name"] for node in nodes if "Index Name" in node),
        sequential_scans=frozenset(node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"),
        tables=frozenset(node["Relation Name"] for node in nodes if "Relation Name" in node),
    )


def nodes_of(explained: Any) -> Iterator[dict[str, Any]]:
    """Walk the nodes of an answer of EXPLAIN (FORMAT JSON), the outermost first."""
    yield from _nodes((json.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"])


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


def _problem(query: HotQuery, plan: Plan) -> str:
    if plan.sequential_scans:
        return f"reads all of {_names(plan.sequential_scans)}"
    if missing := query.indexes - plan.indexes:
        return f"does not use {_names(missing)} but {_names(plan.indexes) or 'no index'}"
    return ""


def _pages(tables: frozenset[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(SIZES, [list(tables)])
        return dict(cursor.fetchall())


def _names(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
