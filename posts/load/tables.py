"""Fill tables through COPY: columns, sequences, and indexes that wait until the rows are there."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import batched

from django.db import connection, models
from psycopg import sql

# Building an index over the rows is several times faster than growing it row by row; worth its lock only
# when most of the table is new.
REBUILD_FROM_ROWS = 50_000
LINES_PER_WRITE = 2000


def copy_rows(model: type[models.Model], columns: list[str], lines: Iterable[str]) -> None:
    """COPY lines of tab-separated values; fields not named take the default of the model or the table."""
    rest = {
        str(field.column): field.get_default()
        for field in model._meta.concrete_fields
        if field.column not in columns and not field.primary_key and not field.has_db_default()
    }
    tail = "".join(f"\t{encoded(value)}" for value in rest.values()) + "\n"
    names: list[sql.Composable] = [sql.Identifier(name) for name in [*columns, *rest]]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.Composed(names).join(",")
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for batch in batched(lines, LINES_PER_WRITE):
            copy.write(tail.join(batch) + tail)


def encoded(value: object) -> str:
    """Encode a default in COPY's text format."""
    match value:
        case None:
            return r"\N"
        case bool():
            return "t" if value else "f"
        case []:
            return "{}"
        case int() | str():
            return str(value)
    raise TypeError(f"No default of type {type(value).__name__} is expected here.")


def reserve_ids(model: type[models.Model], count: int) -> int:
    """Take `count` numbers from a table's sequence and return the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [model._meta.db_table])
        return reserve(cursor.fetchone()[0], count)


def reserve(sequence: str, count: int) -> int:
    """Take `count` numbers in a row from a sequence and return the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [sequence])
        first: int = cursor.fetchone()[0]
        cursor.execute("SELECT setval(%s, %s)", [sequence, first + max(1, count) - 1])
        return first


@contextmanager
def indexes_rebuilt(new_rows: dict[type[models.Model], int]) -> Iterator[None]:
    """Drop foreign keys, unique constraints and indexes of tables that will be mostly new, then make them again.

    The definitions are those that the catalogue prints. Inside a transaction: a failure brings them back.
    """
    tables = [
        model._meta.db_table
        for model, count in new_rows.items()
        if count >= REBUILD_FROM_ROWS and count > model._default_manager.count()
    ]
    with connection.cursor() as cursor:
        cursor.execute(CONSTRAINTS, [tables])
        constraints = cursor.fetchall()
        cursor.execute(INDEXES, [tables])
        indexes = cursor.fetchall()
        for table, name, _ in constraints:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        # A table with checks still to come cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for _, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in constraints:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('f', 'u')
    ORDER BY contype DESC, oid
"""
INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY(%s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
    ORDER BY indexrelid
"""


def settle(tables: Iterable[type[models.Model]]) -> None:
    """Give the planner its statistics and index-only scans their visibility map."""
    # VACUUM cannot run inside a transaction; inside one, statistics are what can be had.
    command = "ANALYZE" if connection.in_atomic_block else "VACUUM (ANALYZE)"
    with connection.cursor() as cursor:
        # Ten million rows take longer than a request may.
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(f"{command} {', '.join(model._meta.db_table for model in tables)}")
        cursor.execute("RESET statement_timeout")
