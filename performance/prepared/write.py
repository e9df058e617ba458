"""Hot writes: one statement with data-modifying CTEs, prepared like a read and asked once."""

import re
from functools import cached_property
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connections

from performance.prepared.parameters import Parameter
from performance.prepared.statement import Statement

_PLACE = re.compile(r"%\((\w+)\)s")


class PreparedWrite:
    """One statement that writes, whose single row is a JSON list of what became of it.

    The SQL names its parameters as `%(name)s`; one that is declared `| None` may be NULL. By itself it is a whole
    transaction; inside of one it is a part of it.

        read_up_to = PreparedWrite("WITH ... SELECT json_build_array(...)", profile=int, parent=int | None)
        (count,) = read_up_to.run(profile=12, parent=None)
    """

    def __init__(self, sql: str, /, **parameters: Any) -> None:
        self._parameters = [Parameter(name, kind) for name, kind in parameters.items()]
        for parameter in self._parameters:
            parameter.check()
        self._sql = sql

    @cached_property
    def statement(self) -> Statement:
        places = {
            parameter.name: f"${number}::{parameter.kind.cast}" for number, parameter in enumerate(self._parameters, 1)
        }
        return Statement(_PLACE.sub(lambda found: places[found[1]], self._sql), may_repeat=False)

    def run(self, **values: Any) -> list[Any]:
        """Run the statement; return what became of it. Raises Django's database errors."""
        if values.keys() != {parameter.name for parameter in self._parameters}:
            raise TypeError(f"It takes {', '.join(parameter.name for parameter in self._parameters)}.")
        encoded = [self._encode(parameter, values[parameter.name]) for parameter in self._parameters]
        result = self.statement.run(connections[DEFAULT_DB_ALIAS], encoded)
        found: list[Any] = orjson.loads(result.get_value(0, 0) or b"[]")
        return found

    @staticmethod
    def _encode(parameter: Parameter, value: Any) -> bytes | None:
        return None if value is None and parameter.is_optional else parameter.encode(value)
