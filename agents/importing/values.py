"""Values out of files that nobody here wrote: every type is checked, every text made storable."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

# PostgreSQL stores no NUL and UTF-8 encodes no lone surrogate. All else of a text is kept as it is.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
# Clocks differ; more than this ahead is an error and would sit on top of every timeline.
_CLOCK_SKEW = timedelta(minutes=5)


class Unusable(ValueError):
    """A row that cannot be stored; the message says why, in words that do not depend on the row."""


def storable(text: str) -> str:
    """Return `text` without what PostgreSQL cannot store."""
    return _UNSTORABLE.sub("", text)


def text_of(data: Mapping[str, Any], *names: str) -> str:
    """Return the first of the named fields that is there, "" for none. Raises `Unusable` for another type."""
    for name in names:
        value = data.get(name)
        if isinstance(value, str):
            return storable(value)
        if value is not None:
            raise Unusable(f"{name} is not a string")
    return ""


def id_of(data: Mapping[str, Any], name: str, *, max_length: int) -> str:
    """Return a field that names another thing, as text. Raises `Unusable` where it cannot."""
    value = data.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        value = str(value)
    if value is None or value == "":
        raise Unusable(f"{name} is missing")
    if not isinstance(value, str):
        raise Unusable(f"{name} is neither a string nor a number")
    if value != storable(value):
        raise Unusable(f"{name} holds characters that cannot be stored")
    if len(value) > max_length:
        raise Unusable(f"{name} is longer than {max_length} characters")
    return value


def moment_of(data: Mapping[str, Any], name: str) -> datetime:
    """Return an ISO 8601 time, UTC where it names no zone. Raises `Unusable` where it cannot."""
    try:
        moment = parse_datetime(text_of(data, name))
        if moment is None:
            raise Unusable(f"{name} is not an ISO 8601 time")
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unusable(str(error) if isinstance(error, Unusable) else f"{name} is no time that exists") from error
    if not _EARLIEST <= moment <= timezone.now() + _CLOCK_SKEW:
        raise Unusable(f"{name} lies in the future or before 1970")
    return moment


def strings_of(value: Any) -> list[str]:
    """Return the strings in a string, a list or a dict of them; what is neither is left out."""
    if isinstance(value, str):
        text = storable(value).strip()
        return [text] if text else []
    if isinstance(value, Mapping):
        value = list(value.values())
    return [text for item in value for text in strings_of(item)] if isinstance(value, list) else []
