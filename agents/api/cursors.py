"""Signed keyset cursors: a page starts after the last row of the one before, never at an OFFSET."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b, sha256
from hmac import compare_digest
from typing import Any, cast

import orjson
from django.conf import settings
from django.db.models import BigIntegerField, Model, Q, QuerySet, Value
from rest_framework.exceptions import ValidationError

MAX_AGE_SECONDS = 30 * 24 * 3600
# Before the first row of a list that counts down: a prepared read starts somewhere each time.
BEFORE_ALL = (2**63 - 1, 2**63 - 1)


def encode(scope: str, position: list[Any]) -> str:
    """Sign the position of a row in the list named `scope`."""
    content = urlsafe_b64encode(orjson.dumps([int(time.time()), position])).rstrip(b"=")
    return f"{content.decode()}.{_signature(settings.SECRET_KEY, scope, content)}"


def decode(scope: str, cursor: str) -> list[Any]:
    """Return the position that a cursor holds; raise `ValidationError` for a forged, foreign or stale one."""
    content, _, signature = cursor.encode("utf-8", "replace").rpartition(b".")
    secrets = (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS))
    if not any(compare_digest(_signature(secret, scope, content).encode(), signature) for secret in secrets):
        raise ValidationError({"cursor": ["This is not a cursor of this list."]})
    signed_at, position = orjson.loads(urlsafe_b64decode(content + b"=" * (-len(content) % 4)))
    if signed_at < time.time() - MAX_AGE_SECONDS:
        raise ValidationError({"cursor": ["This cursor is older than 30 days: start at the first page."]})
    return cast(list[Any], position)


def _signature(secret: str, scope: str, content: bytes) -> str:
    # django.core.signing derives a key anew for each signature: 40 us on every page, for the same guarantee.
    # BLAKE2 takes the key itself (RFC 7693) and costs a third of an HMAC.
    message = b"%d:%b%b" % (len(scope), scope.encode(), content)
    return urlsafe_b64encode(blake2b(message, key=_key(secret), digest_size=18).digest()).decode()


@lru_cache
def _key(secret: str) -> bytes:
    return sha256(b"agents.api.cursors" + secret.encode()).digest()


def as_numbers(*position: int) -> list[Value]:
    """Write a position of whole numbers for a query: the stand-ins of a prepared read fit into no smaller column."""
    return [Value(number, BigIntegerField()) for number in position]


def position_of(row: Model, order: tuple[str, ...]) -> list[Any]:
    """Return the values by which a row is ordered."""
    position = []
    for name in order:
        value: Any = row
        for step in name.removeprefix("-").split("__"):
            value = getattr(value, step)
        position.append(value.isoformat() if isinstance(value, datetime) else value)
    return position


def rows_after[Rows: QuerySet[Any]](queryset: Rows, order: tuple[str, ...], position: list[Any] | None) -> Rows:
    """Order a query set and keep the rows that come after a position."""
    condition = Q()
    same_so_far = Q()
    if position and len(order) > 1:
        # Where an index is entered: it cannot be by what follows, which is an OR.
        first = order[0].removeprefix("-")
        queryset = queryset.filter(**{f"{first}__{'lte' if order[0].startswith('-') else 'gte'}": position[0]})
    for name, value in zip(order, position or [], strict=False):
        field = name.removeprefix("-")
        beyond = "lt" if name.startswith("-") else "gt"
        condition |= same_so_far & Q(**{f"{field}__{beyond}": value})
        same_so_far &= Q(**{field: value})
    return queryset.filter(condition).order_by(*order)
