"""The limit of a cached page: WSGI without a framework and one GET to Valkey."""

import os
from collections.abc import Iterable
from typing import Any

import redis

from benchmarks.peers import bare

client = redis.Redis.from_url(os.environ["BENCH_CACHE"])


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    name = f"bench:bare:{environ['HTTP_AUTHORIZATION']}:{environ['PATH_INFO']}"
    body = client.get(name)
    if body is None:
        body = b"".join(bare.rows(environ, lambda *_: None))
        client.set(name, body, ex=30)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
