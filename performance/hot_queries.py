"""The queries that must be quick, each with the index that makes it so.

An app declares its own in `hot_queries.py`:

    hot_query("explore", index="post_public_timeline", build=lambda: timelines.explore(viewer=None, limit=20))
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.module_loading import autodiscover_modules

# A query set, or SQL with its parameters.
type Statement = QuerySet[Any, Any] | tuple[str, tuple[object, ...]]


@dataclass(frozen=True, kw_only=True)
class HotQuery:
    """`build` reads the rows it needs from the database at hand; it may raise `ObjectDoesNotExist` on an empty one."""

    name: str
    indexes: frozenset[str]
    build: Callable[[], Statement]


_declared: dict[str, HotQuery] = {}


def hot_query(name: str, *, index: str | tuple[str, ...], build: Callable[[], Statement]) -> None:
    """Declare a query and the index, or indexes, that its plan must use. Raises `ValueError` for a name in use."""
    if name in _declared:
        raise ValueError(f"Two hot queries are called {name!r}.")
    indexes = frozenset([index] if isinstance(index, str) else index)
    _declared[name] = HotQuery(name=name, indexes=indexes, build=build)


def hot_queries() -> list[HotQuery]:
    """Return every declared query, ordered by name."""
    autodiscover_modules("hot_queries")
    return [_declared[name] for name in sorted(_declared)]
