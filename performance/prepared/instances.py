"""Prepared reads whose row becomes instances of models: for who calls, which every request asks."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import DateTimeField, Model, QuerySet
from django.db.models.base import ModelState

from performance.prepared.read import PreparedRead

# A path to a row from that of the query ("profile__user__"), its model, and the columns to load.
type Part = tuple[str, type[Model], tuple[str, ...]]


class PreparedInstances:
    """A query of one row that is read as one instance per part, None where there is no such row.

    Columns that are left out are loaded when they are asked for. Parameters are those of `PreparedRead`.
    """

    def __init__(
        self, build: Callable[..., QuerySet[Any, Any]], /, *, name: str, parts: Sequence[Part], **parameters: Any
    ) -> None:
        self._parts = parts
        columns = [(path, model, column) for path, model, names in parts for column in names]
        self._moments = [
            place
            for place, (_, model, column) in enumerate(columns)
            if isinstance(model._meta.get_field(column), DateTimeField)
        ]
        shape = tuple(f"{path}{column}" for path, _, column in columns)
        self._read = PreparedRead(build, name=name, shape=shape, **parameters)

    def first(self, **values: Any) -> list[Any] | None:
        """Run the query; return the instances of its first row, None without a row."""
        row = self.row(**values)
        return None if row is None else self.instances(row)

    def row(self, **values: Any) -> list[Any] | None:
        """Run the query; return the values in its first row, None without a row."""
        row = self._read.values(**values)
        if row is None:
            return None
        for place in self._moments:
            if row[place]:
                row[place] = datetime.fromisoformat(row[place])
        return row

    def instances(self, row: list[Any]) -> list[Any]:
        """Make the instances of a row, new ones each time."""
        instances: list[Any] = []
        start = 0
        for _, model, names in self._parts:
            part = row[start : start + len(names)]
            start += len(names)
            instances.append(None if part[0] is None else _loaded(model, names, part))
        return instances


def columns_of(model: type[Model], *names: str) -> tuple[str, ...]:
    """Return these columns of a model, or all; the key first, which tells whether there is a row."""
    every = [field.attname for field in model._meta.concrete_fields]
    return tuple(name for name in every if not names or name in names)


def relate(instance: Model, name: str, other: Model | None) -> None:
    """Say what a relation has loaded, both ways where it is one to one; assignment would check it again."""
    field: Any = instance._meta.get_field(name)
    field.set_cached_value(instance, other)
    if field.one_to_one and other is not None:
        field.remote_field.set_cached_value(other, instance)


def _loaded(model: type[Model], names: tuple[str, ...], values: list[Any]) -> Model:
    """Return a saved instance the way unpickling makes one: its columns are in place and nobody is signalled."""
    instance = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    vars(instance).update(zip(names, values, strict=True), _state=state)
    return instance
