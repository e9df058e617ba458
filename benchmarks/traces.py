"""What a request asks of PostgreSQL, recorded so that bare psycopg can ask the very same for other callers.

A request is recorded twice, for two callers. A parameter that is the same both times is a constant; one that equals
an input of its request (whose ids differ) or what an earlier statement answered is a reference to that; text that
holds such values is filled with them. What is none of these keeps the value of the first recording: a moment, say.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any
from unittest.mock import patch

import orjson
import psycopg

COMMIT = "COMMIT"
SAVEPOINT = re.compile(r'"s\d+_x\d+"')
# Shorter numbers are part of too many texts by chance.
SHORTEST_IN_TEXT = 3


@dataclass(frozen=True)
class Reference:
    """A value known only when a request runs: an input by its name, or an answer by its place."""

    name: str

    def fill(self, known: Mapping[str, str]) -> str:
        return known[self.name]


@dataclass(frozen=True)
class Number(Reference):
    # Django tells psycopg how wide some numbers are.
    kind: type[int] = int

    def fill(self, known: Mapping[str, str]) -> Any:
        return self.kind(known[self.name])


@dataclass(frozen=True)
class Items:
    """A list whose elements are parameters."""

    items: tuple["Parameter", ...]

    def fill(self, known: Mapping[str, str]) -> list[Any]:
        return [item.fill(known) for item in self.items]


@dataclass(frozen=True)
class Text:
    """A text with references in it."""

    template: str

    def fill(self, known: Mapping[str, str]) -> str:
        return self.template.format_map(known)


@dataclass(frozen=True)
class Constant:
    value: Any

    def fill(self, known: Mapping[str, str]) -> Any:
        return self.value


type Parameter = Reference | Text | Items | Constant


@dataclass
class Step:
    """One statement: its SQL, its parameters, whether it ran inside a transaction, and what its first row said."""

    sql: str
    parameters: Sequence[Any] = ()
    # With $1 instead of %s, as prepared reads have it.
    is_raw: bool = False
    in_transaction: bool = False
    # Its parameters have no type without a value, so that only text with the values in it can be sent.
    is_client_side: bool = False
    answered: list[str] = field(default_factory=list)


def plain(value: Any) -> Any:
    """Return a parameter without what only Django knows, such as a choice."""
    return str(value) if isinstance(value, Enum) else value


def first_row(result: Any) -> list[str]:
    """Return the values of the first row; what stands in a JSON list follows one by one."""
    if result is None or not result.ntuples:
        return []
    row = [(result.get_value(0, column) or b"").decode(errors="replace") for column in range(result.nfields)]
    return row + [str(part) for text in row if text.startswith("[") for part in orjson.loads(text)]


@contextmanager
def recorded() -> Iterator[list[Step]]:
    """Record every statement that this process runs through psycopg, at its lowest level."""
    # Not above: the bare peer has no Django.
    from performance.prepared.statement import Statement

    steps: list[Step] = []
    execute, ask, commit = psycopg.Cursor.execute, Statement._ask, psycopg.Connection.commit

    def note_execute(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:
        found = execute(cursor, query, params, **options)
        # Django numbers its savepoints.
        text = SAVEPOINT.sub("savepoint", query.decode() if isinstance(query, bytes) else str(query))
        is_raw = isinstance(cursor, psycopg.RawCursor)
        in_transaction = not cursor.connection.autocommit
        steps.append(
            Step(
                text,
                [plain(value) for value in params or ()],
                is_raw,
                in_transaction,
                answered=first_row(cursor.pgresult),
            )
        )
        return found

    def note_ask(statement: Statement, raw: Any, values: Sequence[bytes | None]) -> Any:
        result = ask(statement, raw, values)
        given = [None if value is None else value.decode() for value in values]
        steps.append(Step(statement.sql, given, True, not raw.autocommit, answered=first_row(result)))
        return result

    def note_commit(connection: Any) -> None:
        commit(connection)
        steps.append(Step(COMMIT))

    with (
        patch.object(psycopg.Cursor, "execute", note_execute),
        patch.object(Statement, "_ask", note_ask),
        patch.object(psycopg.Connection, "commit", note_commit),
    ):
        yield steps


@dataclass
class Trace:
    """A recorded request with holes for what differs from one to the next."""

    steps: list[Step]
    # What could not be explained, for whoever looks.
    unexplained: list[str]


def generalise(
    first: Sequence[Step], inputs: Mapping[str, str], second: Sequence[Step], other_inputs: Mapping[str, str]
) -> Trace:
    """Turn two recordings into one trace. Raises `ValueError` when they ran different statements."""
    if [step.sql for step in first] != [step.sql for step in second]:
        ran = [[f"{step.sql[:100]} {step.parameters}"[:200] for step in steps] for steps in (first, second)]
        raise ValueError(f"The two requests ran different statements: {ran}")
    known, other_known = dict(inputs), dict(other_inputs)
    trace = Trace([], [])
    for number, (step, other) in enumerate(zip(first, second, strict=True)):
        parameters: list[Parameter] = []
        for value, other_value in zip(step.parameters, other.parameters, strict=True):
            parameter = explain(value, known, other_value, other_known)
            if isinstance(parameter, Constant) and value != other_value and not isinstance(value, datetime):
                trace.unexplained.append(f"{value!r} and {other_value!r} in {step.sql[:80]}")
            parameters.append(parameter)
        trace.steps.append(Step(step.sql, parameters, step.is_raw, step.in_transaction))
        for column, (answer, other_answer) in enumerate(zip(step.answered, other.answered, strict=False)):
            if answer != other_answer:
                known[f"answer_{number}_{column}"], other_known[f"answer_{number}_{column}"] = answer, other_answer
    return trace


def explain(value: Any, known: Mapping[str, str], other_value: Any, other_known: Mapping[str, str]) -> Parameter:
    """Say where a parameter came from, judging by what both requests knew."""
    if value == other_value:
        return Constant(value)
    for name, text in known.items():
        if written(value) == text and written(other_value) == other_known[name]:
            return Number(name, type(value)) if isinstance(value, int) else Reference(name)
    if isinstance(value, list) and isinstance(other_value, list) and len(value) == len(other_value):
        pairs = zip(value, other_value, strict=True)
        return Items(tuple(explain(item, known, other, other_known) for item, other in pairs))
    if isinstance(value, str) and isinstance(other_value, str):
        template = value.replace("{", "{{").replace("}", "}}")
        for name, text in sorted(known.items(), key=lambda item: -len(item[1])):
            if len(text) >= SHORTEST_IN_TEXT and text != other_known[name]:
                template = template.replace(text, f"{{{name}}}")
        if template.format_map(other_known) == other_value:
            return Text(template)
    return Constant(value)


def written(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return "\\x" + bytes(value).hex()
    return str(value)
