"""What a prepared read can be asked with: how each kind is probed at compile time and sent at run time."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import NoneType, UnionType
from typing import Any, get_args

from django.db import DataError
from django.db.models import Model


@dataclass(frozen=True)
class Size:
    """A page size from 1 to `most`: written into the statement, so that the planner knows it.

    There is one statement per size in use.
    """

    most: int


@dataclass(frozen=True)
class Kind:
    """How values of one type are told apart in compiled SQL and written for PostgreSQL."""

    cast: str
    probe: Callable[[int], Any]
    encode: Callable[[Any], bytes]


# No number of an application; the seed makes two probes of the same parameter differ, and two parameters too.
_PROBE = 4_077_000_000_000_000_000
# It has what changing case, stripping or normalising would change.
_PROBE_TEXT = " Probe\ue000{}\ue000 "


def _encode_int(value: int) -> bytes:
    return b"%d" % value


def _encode_text(value: str) -> bytes:
    # libpq would cut the text at the NUL.
    if "\x00" in value:
        raise DataError("PostgreSQL text cannot hold NUL.")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise DataError("PostgreSQL text is valid UTF-8.") from error


def _encode_moment(value: datetime.datetime) -> bytes:
    if value.tzinfo is None:
        raise DataError("A moment has a time zone.")
    return value.isoformat().encode()


KINDS: dict[Any, Kind] = {
    int: Kind("bigint", lambda seed: _PROBE + seed, _encode_int),
    str: Kind("text", _PROBE_TEXT.format, _encode_text),
    bytes: Kind("bytea", lambda seed: _PROBE_TEXT.format(seed).encode(), lambda value: b"\\x" + value.hex().encode()),
    list[int]: Kind(
        "bigint[]", lambda seed: [_PROBE + seed], lambda value: b"{%b}" % b",".join(map(_encode_int, value))
    ),
    datetime.datetime: Kind(
        "timestamptz",
        lambda seed: datetime.datetime(1971, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=seed),
        _encode_moment,
    ),
}


@dataclass(frozen=True)
class Parameter:
    """One named parameter.

    A model stands for a saved instance of it that is known by its key alone. There is one statement for each
    value of a `bool`, and one without the parameter for each that may be None.
    """

    name: str
    type: Any

    @cached_property
    def base(self) -> Any:
        """The type without `| None`."""
        return next(part for part in get_args(self.type) if part is not NoneType) if self.is_optional else self.type

    @cached_property
    def is_optional(self) -> bool:
        return isinstance(self.type, UnionType) and NoneType in get_args(self.type) and len(get_args(self.type)) == 2

    @cached_property
    def is_choice(self) -> bool:
        """Whether its value, or its absence, picks one of several statements."""
        return self.is_optional or self.type is bool

    def choices(self) -> tuple[bool, ...]:
        return (False, True) if self.is_choice else (False,)

    def choice(self, value: Any) -> bool:
        """Return which statement a value picks: for an optional parameter, the one without it."""
        return bool(value) if self.type is bool else value is None

    @cached_property
    def kind(self) -> Kind:
        return KINDS[int] if self.is_model or self.is_size else KINDS[self.base]

    @cached_property
    def is_model(self) -> bool:
        return isinstance(self.base, type) and issubclass(self.base, Model)

    @cached_property
    def is_size(self) -> bool:
        return isinstance(self.type, Size)

    def probe(self, seed: int) -> Any:
        """Return the value that stands in SQL for this parameter."""
        return self.kind.probe(seed)

    def argument(self, seed: int) -> Any:
        """Return what the query is built with: the probe, or an instance that has it as its key."""
        if not self.is_model:
            return self.probe(seed)
        instance = self.base(pk=self.probe(seed))
        instance._state.adding = False
        return instance

    def check(self) -> None:
        """Raise `TypeError` for a type that cannot be a parameter."""
        if not (self.is_model or self.is_size or self.type is bool or self.base in KINDS):
            known = ", ".join(getattr(kind, "__name__", str(kind)) for kind in KINDS)
            raise TypeError(f"{self.name}: {self.type!r} cannot be a parameter; use {known}, bool, a model or Size.")

    def encode(self, value: Any) -> bytes:
        """Write a value for PostgreSQL; raise `DataError` for one that it cannot hold."""
        if self.is_model and isinstance(value, Model):
            value = value.pk
        return self.kind.encode(value)
