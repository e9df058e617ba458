from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from agents.api import cursors
from agents.api.serializers import DEFAULT_LIMIT
from feed.pages.viewers import PageRequest


@dataclass(frozen=True, kw_only=True)
class Rows[M: Model]:
    """One page of a list, and the cursor of the next."""

    rows: list[M]
    next_cursor: str | None
    is_first: bool


def read_rows[M: Model](
    request: PageRequest, queryset: QuerySet[M, Any], *, order: tuple[str, ...] = ("-id",)
) -> Rows[M]:
    """Read the page after the cursor in the address; raise `ValidationError` for a stale one."""
    cursor = request.GET.get("cursor")
    position = cursors.decode(request.path, cursor) if cursor else None
    rows = list(cursors.rows_after(queryset, order, position)[: DEFAULT_LIMIT + 1])
    shown = rows[:DEFAULT_LIMIT]
    has_next = len(rows) > DEFAULT_LIMIT
    following = cursors.encode(request.path, cursors.position_of(shown[-1], order)) if has_next else None
    return Rows(rows=shown, next_cursor=following, is_first=cursor is None)
