"""Signed keyset cursors: a page starts after the last row of the one before, never at an OFFSET."""

from datetime import datetime
from typing import Any, cast

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ValidationError

MAX_AGE_SECONDS = 30 * 24 * 3600


def encode(scope: str, position: list[Any]) -> str:
    """Sign the position of a row in the list named `scope`."""
    return signing.dumps(position, salt=f"cursor:{scope}")


def decode(scope: str, cursor: str) -> list[Any]:
    """Return the position that a cursor holds; raise `ValidationError` for a forged, foreign or stale one."""
    try:
        return cast(list[Any], signing.loads(cursor, salt=f"cursor:{scope}", max_age=MAX_AGE_SECONDS))
    except signing.SignatureExpired:
        raise ValidationError({"cursor": ["This cursor is older than 30 days: start at the first page."]}) from None
    except (signing.BadSignature, ValueError):
        raise ValidationError({"cursor": ["This is not a cursor of this list."]}) from None


def position_of(row: Model, order: tuple[str, ...]) -> list[Any]:
    """Return the values by which a row is ordered."""
    position = []
    for name in order:
        value: Any = row
        for step in name.removeprefix("-").split("__"):
            value = getattr(value, step)
        position.append(value.isoformat() if isinstance(value, datetime) else value)
    return position


def rows_after[M: Model](queryset: QuerySet[M], order: tuple[str, ...], position: list[Any] | None) -> QuerySet[M]:
    """Order a query set and keep the rows that come after a position."""
    condition = Q()
    same_so_far = Q()
    for name, value in zip(order, position or [], strict=False):
        field = name.removeprefix("-")
        beyond = "lt" if name.startswith("-") else "gt"
        condition |= same_so_far & Q(**{f"{field}__{beyond}": value})
        same_so_far &= Q(**{field: value})
    return queryset.filter(condition).order_by(*order)
