"""A hundred thousand reads of the mix: how many the cache answers, and what the web process weighs after them."""

import json
import urllib.request
from itertools import batched
from random import Random
from typing import Any

from benchmarks import databases, prepare
from benchmarks.load import Measured, Request, send_all
from benchmarks.mix import load_mix, stock_of
from benchmarks.options import Options
from benchmarks.results import Row
from benchmarks.servers import Peer, aviary, serving

REQUESTS = 100_000
# Memory is compared from here on: before, threads and caches are still being made.
WARM = 20_000
LEAST_HIT_RATE, MOST_MEGABYTES, FLAT = 0.90, 150.0, 1.05


def rows(options: Options) -> list[Row]:
    """Send the mix to one fresh web process as fast as it answers."""
    databases.use(databases.of_posts(options.posts, people_of=options.posts))
    mix, peer, rng = load_mix(), aviary("aviary", is_cached=True), Random("mix")
    with (
        prepare.callers(following=(10, 100), count=mix.readers) as callers,
        serving([peer], prepare.environment()),
    ):
        keys = [caller.secret for caller in callers]
        stock = stock_of(ask(peer, keys[0], "/api/explore"), ask(peer, keys[0], "/api/communities"))
        requests = [Request(mix.path(rng, stock), rng.choice(keys)) for _ in range(REQUESTS)]
        sent, megabytes = [], []
        for some in batched(requests, WARM):
            sent.append(send_all(port=peer.port, requests=some))
            megabytes.append(peer.resident_megabytes())
            print(f"{len(sent) * WARM:>7,} requests, {megabytes[-1]:.0f} MB, {outcomes(sent[-1])}", flush=True)
    hits = sum(burst.outcomes.get("HIT", 0) for burst in sent)
    seconds = sum(burst.seconds for burst in sent)
    failed = sum(burst.errors for burst in sent)
    return [
        Row("hit rate of the mix, of all requests", hits / REQUESTS, ">=", LEAST_HIT_RATE),
        Row("requests of the mix that failed", failed, "==", 0),
        Row("requests of the mix per second and reader", REQUESTS / seconds / mix.readers, unit="requests/s"),
        Row(f"RSS of the web process after {REQUESTS:,} requests", megabytes[-1], "<=", MOST_MEGABYTES, "MB"),
        Row(f"RSS then vs after {WARM:,} requests", megabytes[-1] / megabytes[0], "<=", FLAT, "x"),
    ]


def outcomes(sent: Measured) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in [*sorted(sent.outcomes.items()), *sent.failures.items()])


def ask(peer: Peer, key: str, path: str) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Host": "localhost"}
    request = urllib.request.Request(f"http://127.0.0.1:{peer.port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)
