"""Holds a request against the budget that its view declares."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from performance.budgets import endpoints


def assert_within_budget(client: Client, path: str, *, method: str = "GET", exact: bool = False, **request: Any) -> Any:
    """Send a request, check its statements and bytes, and return the answer; failing, show the statements."""
    name = f"{method} {resolve(path.partition('?')[0]).view_name}"
    budget = {endpoint.name: endpoint.budget for endpoint in endpoints()}[name]
    with CaptureQueriesContext(connection) as queries:
        response = getattr(client, method.lower())(path, **request)
    assert 200 <= response.status_code < 300, f"{name}: {response.status_code} {response.content[:500]!r}"
    statements = "\n".join(query["sql"][:300] for query in queries)
    assert len(queries) <= budget.statements, f"{name}: {len(queries)} > {budget.statements} statements\n{statements}"
    assert not exact or len(queries) == budget.statements, f"{name}: only {len(queries)} statements\n{statements}"
    kilobytes = len(response.content) / 1000
    assert kilobytes <= budget.kilobytes, f"{name}: {kilobytes} > {budget.kilobytes} kB"
    return response
