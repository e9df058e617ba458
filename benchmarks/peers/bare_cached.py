"""The limit of a cached page: WSGI without a framework and one GET to Valkey, of the page and its ETag."""

import os
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import redis

from benchmarks.peers import bare

client = redis.Redis.from_url(os.environ["BENCH_CACHE"])


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    name = f"bench:bare:{environ['HTTP_AUTHORIZATION']}:{environ['PATH_INFO']}"
    kept = client.get(name)
    if kept is None:
        body = b"".join(bare.rows(environ, lambda *_: None))
        kept = b'"%b"\n%b' % (blake2b(body, digest_size=12).hexdigest().encode(), body)
        client.set(name, kept, ex=30)
    etag, body = kept.split(b"\n", 1)
    if environ.get("HTTP_IF_NONE_MATCH") == etag.decode():
        start_response("304 Not Modified", [("ETag", etag.decode())])
        return []
    length = ("Content-Length", str(len(body)))
    start_response("200 OK", [("Content-Type", "application/json"), length, ("ETag", etag.decode())])
    return [body]
