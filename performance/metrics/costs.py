"""What one request costs: noted on its path as it comes, named and added up beside it."""

from collections.abc import Iterator
from contextvars import ContextVar

from django.urls import ResolverMatch
from psycopg import sql

from performance.masking import label_of

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class RequestCosts:
    """One request, or another stretch of work whose statements are counted together."""

    __slots__ = ("asked", "at", "is_error", "match", "method", "named", "nanoseconds", "size_bytes", "trace")

    def __init__(self, trace: str) -> None:
        self.trace = trace
        # Each statement, or None for one that counts under the name of a tracked block, with its nanoseconds.
        self.asked: list[tuple[object, int]] = []
        self.named: list[tuple[str, int]] = []
        self.at = 0.0
        self.nanoseconds = 0
        self.method: str | None = None
        self.match: ResolverMatch | None = None
        self.size_bytes: int | None = None
        self.is_error = False

    @property
    def endpoint(self) -> str:
        """The name that metrics and budgets know the endpoint by: "GET posts:detail"."""
        method = self.method if self.method in METHODS else "OTHER"
        return f"{method} {self.match.view_name if self.match else '(no route)'}"

    @property
    def database_ms(self) -> float:
        return sum(nanoseconds for _, nanoseconds in self.asked) / 1e6

    def queries(self) -> Iterator[tuple[str, int]]:
        """Return each query's name and microseconds."""
        for statement, nanoseconds in self.asked:
            if statement is not None:
                yield name_of(statement), nanoseconds // 1000
        for name, nanoseconds in self.named:
            yield name, nanoseconds // 1000


# What this thread or task works on.
current: ContextVar[RequestCosts | None] = ContextVar("costs", default=None)


def current_trace() -> str:
    costs = current.get()
    return costs.trace if costs else ""


def name_of(statement: object) -> str:
    """Return what metrics count a statement under: its text without values."""
    if isinstance(statement, sql.Composable):
        return label_of(statement.as_string())
    return label_of(statement.decode() if isinstance(statement, bytes) else str(statement))
