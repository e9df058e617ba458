"""What each endpoint may cost, declared next to its view: statements, P95, bytes, and the index it must use."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from performance.documents import table


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The most that one request may cost.

    `statements` counts every statement of the request, authentication included; `p95_ms` is what the 95th of
    a hundred requests may take inside the process; `kilobytes` (1000 bytes) bounds the body before
    compression; `index` names the index that the endpoint's hot query must use.
    """

    statements: int
    p95_ms: float
    kilobytes: float
    index: str = ""

    def __post_init__(self) -> None:
        if self.statements < 0 or self.p95_ms <= 0 or self.kilobytes <= 0:
            raise ValueError("A budget needs a statement count of at least 0, and a P95 and a size above 0.")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method of one route, as metrics, budgets and the dashboard call it: "GET posts:detail"."""

    method: str
    route: str
    path: str
    budget: Budget

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"


def budgeted[V: Callable[..., Any]](budget: Budget) -> Callable[[V], V]:
    """Declare the budget of a view that is a function."""

    def declare(view: V) -> V:
        view.budget = budget  # type: ignore[attr-defined]
        return view

    return declare


def endpoints() -> list[Endpoint]:
    """Return every endpoint that declares a budget, ordered by path.

    A view declares `budget = Budget(...)` for its GET, or `budget = {"GET": Budget(...), "POST": ...}`.
    """
    return sorted(_walk(get_resolver(), prefix="/", namespace=""), key=lambda endpoint: (endpoint.path, endpoint.name))


def _walk(resolver: URLResolver, *, prefix: str, namespace: str) -> Iterator[Endpoint]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, prefix=path, namespace=inner)
        else:
            yield from _declared(entry, path=path, namespace=namespace)


def _declared(entry: URLPattern, *, path: str, namespace: str) -> Iterator[Endpoint]:
    view = getattr(entry.callback, "view_class", entry.callback)
    declared = getattr(view, "budget", None)
    if declared is None:
        return
    by_method = declared if isinstance(declared, Mapping) else {"GET": declared}
    for method, budget in by_method.items():
        yield Endpoint(method=method, route=f"{namespace}{entry.name or path}", path=path, budget=budget)


def render() -> str:
    """Render every budget as a Markdown table."""
    rows = [
        [
            f"`{endpoint.method} {endpoint.path}`",
            str(endpoint.budget.statements),
            f"{endpoint.budget.p95_ms:g} ms",
            f"{endpoint.budget.kilobytes:g} kB",
            f"`{endpoint.budget.index}`" if endpoint.budget.index else "",
        ]
        for endpoint in endpoints()
    ]
    return "\n" + table(["Endpoint", "Statements", "P95", "Size", "Index"], rows)
