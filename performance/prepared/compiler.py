"""From a query set to SQL with numbered parameters, proving on the way that no value decides its shape."""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet, FieldError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from psycopg import Binary, sql
from psycopg.types.json import Json, Jsonb

from performance.prepared.parameters import Parameter

# The oldest PostgreSQL that the compiled SQL must run on: Django 6.1's own minimum.
OLDEST_POSTGRESQL = 150000
# Two probes that have little in common: not their parity, not their last digits.
_SEEDS = (1, 7_777_778)
_PLACEHOLDER = re.compile(r"%(.)")


class ShapeError(Exception):
    """The query cannot be prepared: its SQL depends on what it is asked with."""


class Template:
    """SQL in which parameters are numbered and sizes are still to be filled in."""

    def __init__(self, text: str, order: list[Parameter], sizes: list[Parameter]) -> None:
        self.text = text
        self.order = order
        self.sizes = sizes

    def fill(self, sizes: Sequence[int]) -> str:
        """Return the SQL for these sizes, in the order of `sizes`."""
        text = self.text
        for parameter, value in zip(self.sizes, sizes, strict=True):
            text = text.replace(_hole(parameter), str(value))
        return text


def _hole(parameter: Parameter) -> str:
    return f"\ue001{parameter.name}\ue001"


@functools.cache
def _offline_connection() -> BaseDatabaseWrapper:
    # Compiling asks only for the server's version, which would connect: modules are imported where there is
    # no database yet.
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    vars(connection)["pg_version"] = OLDEST_POSTGRESQL
    return connection


def compile_query(
    name: str, build: Callable[..., QuerySet[Any, Any]], every: Sequence[Parameter], choice: Sequence[bool]
) -> Template:
    """Compile what `build` returns; raise `ShapeError` when a parameter changes more than a bound value."""
    fixed = {
        parameter.name: (chosen if parameter.type is bool else None)
        for parameter, chosen in zip(every, choice, strict=True)
        if parameter.type is bool or chosen
    }
    build = functools.partial(build, **fixed)
    parameters = [parameter for parameter in every if parameter.name not in fixed]
    first, second = (_compile_with(name, build, parameters, probe) for probe in _SEEDS)
    if first[0] != second[0] or len(first[1]) != len(second[1]):
        raise ShapeError(f"{name}: the SQL depends on the value of a parameter:\n{first[0]}\n{second[0]}")
    used: list[Parameter] = []
    values = iter(_bind(name, pair, parameters, used) for pair in zip(first[1], second[1], strict=True))
    text = _PLACEHOLDER.sub(lambda found: next(values) if found[1] == "s" else found[1], first[0])
    sizes = [parameter for parameter in parameters if parameter.is_size]
    for parameter in parameters:
        if parameter not in used and not (parameter.is_size and _hole(parameter) in text):
            raise ShapeError(f"{name}: the parameter {parameter.name} is not in the SQL as it was given.")
    return Template(text, used, sizes)


def _compile_with(
    name: str, build: Callable[..., QuerySet[Any, Any]], parameters: Sequence[Parameter], probe: int
) -> tuple[str, tuple[Any, ...]]:
    arguments = {parameter.name: parameter.argument(probe + place) for place, parameter in enumerate(parameters)}
    try:
        query = build(**arguments).query
        text, values = query.get_compiler(connection=_offline_connection()).as_sql()
    except EmptyResultSet:
        raise ShapeError(f"{name}: this query never has a row.") from None
    except FieldError as error:
        raise ShapeError(f"{name}: {error}") from error
    for place, parameter in enumerate(parameters):
        if parameter.is_size:
            text = text.replace(str(parameter.probe(probe + place)), _hole(parameter))
    return text, tuple(values)


def _bind(name: str, pair: tuple[Any, Any], parameters: Sequence[Parameter], used: list[Parameter]) -> str:
    first, second = map(_plain, pair)
    for place, parameter in enumerate(parameters):
        if first == parameter.probe(_SEEDS[0] + place) and second == parameter.probe(_SEEDS[1] + place):
            if parameter not in used:
                used.append(parameter)
            return f"${used.index(parameter) + 1}::{parameter.kind.cast}"
    if first != second:
        raise ShapeError(f"{name}: a parameter is changed on its way into the SQL, to {first!r}.")
    # Constants are written out: a partial index is only found when the planner sees its condition.
    return sql.Literal(pair[0]).as_string(None)


def _plain(value: Any) -> Any:
    if isinstance(value, Json | Jsonb | Binary):
        return value.obj
    return bytes(value) if isinstance(value, memoryview) else value
