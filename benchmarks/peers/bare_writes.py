"""The limit of a write: WSGI without a framework, and psycopg asking what Aviary asked, statement by statement."""

import os
import pickle
import threading
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson
import psycopg

from benchmarks.traces import COMMIT, Step, Trace, first_row

# Recorded by the runner: a trace for each path.
TRACES: dict[str, Trace] = pickle.loads(Path(os.environ["BENCH_TRACES"]).read_bytes())
_local = threading.local()


def connection() -> psycopg.Connection[Any]:
    if not hasattr(_local, "connection"):
        options = "-c plan_cache_mode=force_generic_plan"
        _local.connection = psycopg.connect(os.environ["BENCH_DSN"], autocommit=True, options=options)
    return _local.connection


def transactions(trace: Trace) -> Iterator[list[tuple[int, Step]]]:
    """Split a trace into what ran alone and what ran in one transaction."""
    commits = 0
    keyed = []
    for number, step in enumerate(trace.steps):
        if step.sql == COMMIT:
            commits += 1
        else:
            keyed.append(((commits, step.in_transaction), number, step))
    for _, group in groupby(keyed, key=lambda entry: entry[0]):
        yield [(number, step) for _, number, step in group]


GROUPS = {path: list(transactions(trace)) for path, trace in TRACES.items()}


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    known = dict(parse_qsl(environ["QUERY_STRING"]))
    # The write reads its body as an API must.
    if length := int(environ.get("CONTENT_LENGTH") or 0):
        orjson.loads(environ["wsgi.input"].read(length))
    secret = environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    known["digest"] = "\\x" + sha256(secret.encode()).hexdigest()
    raw = connection()
    answers: list[list[str]] = []
    for group in GROUPS[environ["PATH_INFO"]]:
        if group[0][1].in_transaction:
            with raw.transaction():
                answers += [run(raw, number, step, known) for number, step in group]
        else:
            answers += [run(raw, number, step, known) for number, step in group]
    body = orjson.dumps(answers[-1])
    start_response("201 Created", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def run(raw: psycopg.Connection[Any], number: int, step: Step, known: dict[str, str]) -> list[str]:
    cursor_class: Any = psycopg.RawCursor if step.is_raw else psycopg.Cursor
    if step.is_client_side:
        cursor_class = psycopg.ClientCursor
    with cursor_class(raw) as cursor:
        values = [parameter.fill(known) for parameter in step.parameters]
        # Prepared where it can be: bare psycopg at its best.
        cursor.execute(step.sql, values, prepare=None if step.is_client_side else True)
        answered = first_row(cursor.pgresult)
    for column, answer in enumerate(answered):
        known[f"answer_{number}_{column}"] = answer
    return answered
