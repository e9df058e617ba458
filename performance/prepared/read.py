import threading
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple, overload

import orjson
from django.apps import apps
from django.db import connections, router
from django.db.models import Model, QuerySet
from psycopg.pq.abc import PGresult

from performance.prepared.compiler import Template, compile_query
from performance.prepared.parameters import Parameter
from performance.prepared.shape import json_array, json_of
from performance.prepared.statement import Statement
from performance.replica import may_lag

# Every prepared read of the process, by name: what the index checks explain.
registry: dict[str, "PreparedRead"] = {}


class Row(NamedTuple):
    """One row: its JSON, and the JSON list of the values that order it."""

    json: bytes
    position: bytes

    def position_values(self) -> list[Any]:
        values: list[Any] = orjson.loads(self.position)
        return values


class Rows(Sequence[Row]):
    """The rows of an answer, taken out of it when they are asked for: of a page, one position is."""

    def __init__(self, result: PGresult) -> None:
        self._result = result

    def __len__(self) -> int:
        return self._result.ntuples

    @overload
    def __getitem__(self, number: int) -> Row: ...
    @overload
    def __getitem__(self, number: slice) -> list[Row]: ...
    def __getitem__(self, number: int | slice) -> Row | list[Row]:
        if isinstance(number, slice):
            return [self[place] for place in range(len(self))[number]]
        place = range(len(self))[number]
        return Row(self._result.get_value(place, 0) or b"null", self._result.get_value(place, 1) or b"null")

    def json(self, most: int) -> bytes:
        """Return the JSON of the first rows, `most` at most, with commas between."""
        value = self._result.get_value
        return b",".join([value(place, 0) or b"null" for place in range(min(most, len(self)))])


class PreparedRead:
    """A query whose rows PostgreSQL writes as JSON, compiled when it is declared.

    `build` is called with stand-ins for its parameters and returns a query set; a query whose SQL depends on
    a value raises `ShapeError`, unless the parameter is a `bool` or may be None: each of those has its own
    statement. `shape` is the read serializer that declares the JSON, or paths of fields for
    a JSON list of their values; `position` are the fields that order rows; what `may_lag` may come from a replica
    that lacks nothing its `viewer` must see.

        newest = PreparedRead(
            lambda viewer, before, size: Post.objects.for_timeline(viewer).filter(timeline_key__lt=before)[:size],
            name="newest", shape=PostSummary, position=("timeline_key",),
            viewer=Profile | None, before=int, size=Size(101),
        )
        rows = newest.rows(viewer=12, before=2**63 - 1, size=21)

    Safe to share between threads.
    """

    def __init__(
        self,
        build: Callable[..., QuerySet[Any, Any]],
        /,
        *,
        name: str,
        shape: type[Any] | tuple[str, ...],
        position: tuple[str, ...] = ("pk",),
        may_lag: bool = False,
        **parameters: Any,
    ) -> None:
        self.name = name
        self._build = build
        self._shape = shape
        self._position = position
        self._may_lag = may_lag
        self._parameters = [Parameter(key, kind) for key, kind in parameters.items()]
        self._names = {parameter.name: None for parameter in self._parameters}.keys()
        for parameter in self._parameters:
            parameter.check()
        self._lock = threading.Lock()
        self._templates: dict[tuple[bool, ...], Template] = {}
        self._statements: dict[tuple[Any, ...], Statement] = {}
        registry[name] = self
        if apps.models_ready:
            self.compile()

    def compile(self) -> None:
        """Compile every statement; raise `ShapeError` or `UnexpressibleFieldError` when there can be none."""
        with self._lock:
            if not self._templates:
                self._templates = {
                    choice: compile_query(self.name, self._queryset, self._parameters, choice)
                    for choice in product(*(parameter.choices() for parameter in self._parameters))
                }

    @property
    def templates(self) -> dict[tuple[bool, ...], Template]:
        """The compiled statements, by the choices that pick them."""
        if not self._templates:
            self.compile()
        return self._templates

    def _queryset(self, **arguments: Any) -> QuerySet[Any, Any]:
        rows = self._build(**arguments)
        self.model = rows.model
        columns = {"_json": self._json(rows.model), "_position": json_array(self._position)}
        shown: QuerySet[Any, Any] = rows.annotate(**columns).values_list(*columns)
        return shown

    def _json(self, model: type[Model]) -> Any:
        return json_array(self._shape) if isinstance(self._shape, tuple) else json_of(self._shape, model)

    def statement(self, **values: Any) -> tuple[Statement, list[bytes]]:
        """Return the statement for these values and the values as PostgreSQL reads them."""
        if values.keys() != self._names:
            raise TypeError(f"{self.name} takes {', '.join(self._names)}.")
        choice = tuple([p.choice(values[p.name]) if p.is_choice else self._given(p, values) for p in self._parameters])
        template = self.templates[choice]
        sizes = tuple([_checked_size(parameter, values[parameter.name]) for parameter in template.sizes])
        statement = self._statements.get((choice, sizes))
        if statement is None:
            statement = self._statements[choice, sizes] = Statement(template.fill(sizes))
        return statement, [parameter.encode(values[parameter.name]) for parameter in template.order]

    @staticmethod
    def _given(parameter: Parameter, values: dict[str, Any]) -> bool:
        if values[parameter.name] is None and not parameter.is_size:
            raise TypeError(f"{parameter.name} cannot be None; declare it `| None`.")
        return False

    def rows(self, **values: Any) -> Rows:
        """Run the query; return its rows. Raises Django's database errors."""
        if not self._may_lag:
            return self._rows(values)
        viewer = values.get("viewer")
        return may_lag(lambda: self._rows(values), viewer=viewer.pk if isinstance(viewer, Model) else viewer)

    def _rows(self, values: dict[str, Any]) -> Rows:
        statement, encoded = self.statement(**values)
        return Rows(statement.run(connections[router.db_for_read(self.model)], encoded))

    def one(self, **values: Any) -> bytes | None:
        """Run the query; return the JSON of its first row, or None when it has no row."""
        rows = self.rows(**values)
        return rows[0].json if rows else None

    def values(self, **values: Any) -> list[Any] | None:
        """Run a query whose shape is paths of fields; return the values in its first row, None without a row."""
        found = self.one(**values)
        return None if found is None else orjson.loads(found)


def _checked_size(parameter: Parameter, value: Any) -> int:
    if not isinstance(value, int) or not 1 <= value <= parameter.type.most:
        raise ValueError(f"{parameter.name} is a number from 1 to {parameter.type.most}, not {value!r}.")
    return int(value)


def compile_all() -> None:
    """Compile what was declared before the models were ready."""
    for read in list(registry.values()):
        read.compile()
