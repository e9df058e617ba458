"""Read what PostgreSQL means to do with a query set."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet


@dataclass(frozen=True)
class Plan:
    """The indexes that a query uses and the tables that it reads from end to end."""

    indexes: frozenset[str]
    sequential: frozenset[str]


def plan_of[Row: Model](queryset: QuerySet[Row]) -> Plan:
    """Ask for the plan of a query without running it; meaningful only on tables large enough, after ANALYZE."""
    nodes = list(nodes_of(json.loads(queryset.explain(format="json"))[0]["Plan"]))
    return Plan(
        indexes=frozenset(node["Index Name"] for node in nodes if "Index Name" in node),
        sequential=frozenset(node["Relation Name"] for node in nodes if "Seq Scan" in node["Node Type"]),
    )


def nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes_of(child)
