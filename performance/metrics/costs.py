"""What one request costs: noted on its path as it comes, named and added up beside it."""

from collections.abc import Iterator
from contextvars import ContextVar

from psycopg import sql

from performance.masking import label_of

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class RequestCosts:
    """One request, or another stretch of work whose statements are counted together."""

    # What is known at the end, or of few: on the class, so that a request begins by writing two fields.
    at = 0.0
    nanoseconds = 0
    method: str | None = None
    view = "(no route)"
    status = 0
    size_bytes: int | None = None
    named: tuple[tuple[str, int], ...] = ()
    # Inside `track_query(name)` the statements count under that name, not each under its own text.
    is_tracked = False

    def __init__(self, trace: str) -> None:
        self.trace = trace
        # Each statement, or None for one that counts under the name of a tracked block, with its nanoseconds.
        self.asked: list[tuple[object, int]] = []

    @property
    def endpoint(self) -> str:
        """The name that metrics and budgets know the endpoint by: "GET posts:detail"."""
        method = self.method if self.method in METHODS else "OTHER"
        return f"{method} {self.view}"

    @property
    def is_error(self) -> bool:
        return self.status >= 500

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
