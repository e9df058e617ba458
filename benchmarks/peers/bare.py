"""The limit: WSGI without a framework, psycopg with prepared statements, orjson, the same SQL."""

import os
import threading
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

import psycopg
from psycopg.rows import dict_row

from benchmarks.peers.rows import CALLER, STATEMENTS, home_for, page

_local = threading.local()


def connection() -> psycopg.Connection[Any]:
    if not hasattr(_local, "connection"):
        options = "-c plan_cache_mode=force_generic_plan"
        _local.connection = psycopg.connect(
            os.environ["BENCH_DSN"], autocommit=True, cursor_factory=psycopg.RawCursor, options=options
        )
    return _local.connection


def caller(environ: dict[str, Any]) -> Any:
    digest = sha256(environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ").encode()).digest()
    with connection().cursor() as cursor:
        return cursor.execute(CALLER, [digest], prepare=True).fetchone()


def rows_to_json(profile_id: int, following_count: int) -> bytes:
    with connection().cursor(row_factory=dict_row) as cursor:
        return page(cursor.execute(home_for(following_count).encode(), [profile_id], prepare=True).fetchall())


def json_as_bytes(profile_id: int, following_count: int) -> bytes:
    """The very statement of Aviary, which makes the JSON in PostgreSQL."""
    plan = STATEMENTS["json_many" if following_count > STATEMENTS["many_follows"] else "json_few"]
    with connection().cursor() as cursor:
        cursor.execute(plan.encode(), [profile_id], prepare=True)
        result = cursor.pgresult
        assert result is not None
        found = [result.get_value(row, 0) or b"" for row in range(result.ntuples)]
        position = (result.get_value(20, 1) or b"[null]").strip(b"[]") if result.ntuples > 20 else b"null"
    return b'{"results":[%b],"next_cursor":"%b"}' % (b",".join(found[:20]), position)


def application_of(home: Callable[[int, int], bytes]) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        known = caller(environ)
        if known is None or not known[2]:
            start_response("401 Unauthorized", [("Content-Length", "0")])
            return []
        body = home(known[0], known[1])
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return application


rows = application_of(rows_to_json)
passed_through = application_of(json_as_bytes)
