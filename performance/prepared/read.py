import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson
from django.apps import apps
from django.db import connections, router
from django.db.models import QuerySet

from performance.prepared.compiler import Template, compile_query
from performance.prepared.parameters import Parameter
from performance.prepared.shape import json_array, json_of
from performance.prepared.statement import Statement

# Every prepared read of the process, by name: what the index checks explain.
registry: dict[str, "PreparedRead"] = {}


class Row(NamedTuple):
    """One row: its JSON, and the JSON list of the values that order it."""

    json: bytes
    position: bytes

    def position_values(self) -> list[Any]:
        values: list[Any] = orjson.loads(self.position)
        return values


class PreparedRead:
    """A query whose rows PostgreSQL writes as JSON, compiled when it is declared.

    `build` is called with stand-ins of its parameters and returns a query set; what it would do for other
    values, it must do for these: a query whose SQL depends on a value raises `ShapeError`. `shape` is the
    read serializer that declares the JSON, `position` the fields that order the rows.

        newest = PreparedRead(
            lambda viewer, before, size: Post.objects.for_timeline(viewer).filter(timeline_key__lt=before)[:size],
            name="newest", shape=PostSummary, position=("timeline_key",),
            viewer=Profile, before=int, size=Size(101),
        )
        rows = newest.rows(viewer=12, before=2**63 - 1, size=21)

    Safe to share between threads. Values may be None, which is NULL in SQL and seldom what is meant.
    """

    def __init__(
        self,
        build: Callable[..., QuerySet[Any, Any]],
        /,
        *,
        name: str,
        shape: type[Any],
        position: tuple[str, ...] = ("pk",),
        using: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> None:
        self.name = name
        self._build = build
        self._shape = shape
        self._position = position
        self._parameters = [Parameter(key, kind) for key, kind in {**(using or {}), **parameters}.items()]
        for parameter in self._parameters:
            parameter.check()
        self._lock = threading.Lock()
        self._template: Template | None = None
        self._statements: dict[tuple[int, ...], Statement] = {}
        registry[name] = self
        if apps.models_ready:
            self.compile()

    def compile(self) -> Template:
        """Return the compiled SQL; raise `ShapeError` or `UnexpressibleFieldError` when there can be none."""
        with self._lock:
            if self._template is None:
                self._template = compile_query(self.name, self._queryset, self._parameters)
            return self._template

    def _queryset(self, **arguments: Any) -> QuerySet[Any, Any]:
        rows = self._build(**arguments)
        self.model = rows.model
        return rows.annotate(
            _json=json_of(self._shape, rows.model), _position=json_array(self._position, rows.model)
        ).values_list("_json", "_position")

    def statement(self, **values: Any) -> tuple[Statement, list[bytes | None]]:
        """Return the statement for these values and the values as PostgreSQL reads them."""
        template = self._template or self.compile()
        if len(values) != len(self._parameters):
            raise TypeError(f"{self.name} takes {', '.join(parameter.name for parameter in self._parameters)}.")
        sizes = tuple(_checked_size(parameter, values[parameter.name]) for parameter in template.sizes)
        statement = self._statements.get(sizes)
        if statement is None:
            statement = self._statements[sizes] = Statement(template.fill(sizes))
        return statement, [parameter.encode(values[parameter.name]) for parameter in template.order]

    def rows(self, **values: Any) -> list[Row]:
        """Run the query; return its rows. Raises Django's database errors."""
        statement, encoded = self.statement(**values)
        result = statement.run(connections[router.db_for_read(self.model)], encoded)
        return [
            Row(result.get_value(row, 0) or b"null", result.get_value(row, 1) or b"null")
            for row in range(result.ntuples)
        ]

    def one(self, **values: Any) -> bytes | None:
        """Run the query; return the JSON of its first row, or None when it has no row."""
        rows = self.rows(**values)
        return rows[0].json if rows else None


def _checked_size(parameter: Parameter, value: Any) -> int:
    if not isinstance(value, int) or not 1 <= value <= parameter.type.most:
        raise ValueError(f"{parameter.name} is a number from 1 to {parameter.type.most}, not {value!r}.")
    return int(value)


def compile_all() -> None:
    """Compile what was declared before the models were ready."""
    for read in list(registry.values()):
        read.compile()
