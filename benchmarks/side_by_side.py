"""The feed beside what people would pick instead.

One data set, one server process per peer, bursts of load in turn, so that a noisy minute falls on all.
"""

import json
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks import databases, prepare
from benchmarks.load import Measured, Request, burst
from benchmarks.options import Options
from benchmarks.prepare import Caller
from benchmarks.results import Row, from_rounds
from benchmarks.servers import Peer, aviary, serving

AVIARY, LIMIT, LIMIT_JSON = "aviary", "bare WSGI + psycopg + orjson", "bare WSGI, JSON from PostgreSQL"
AVIARY_CACHED, LIMIT_CACHED, FASTAPI_CACHED = "aviary, cached", "bare WSGI + Valkey GET", "FastAPI + Redis"
AVIARY_304, LIMIT_304 = "aviary, cached, 304", "bare WSGI + Valkey GET, 304"
DJANGO = {"DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings"}
GOALS = [
    (AVIARY, LIMIT, 0.70),
    (AVIARY, LIMIT_JSON, None),
    (AVIARY, "FastAPI + asyncpg + orjson", 1.2),
    (AVIARY, "FastAPI + asyncpg, no reset of its pool", None),
    (AVIARY, "FastAPI + SQLAlchemy async", 4.0),
    (AVIARY, "the seeds' stack", 6.0),
    (AVIARY, "DRF as most write it", 7.0),
    (AVIARY, "DRF with a query per row", None),
    (AVIARY, "Django Ninja", None),
    (AVIARY_CACHED, LIMIT_CACHED, 0.95),
    (AVIARY_304, LIMIT_304, 0.95),
    (AVIARY_CACHED, FASTAPI_CACHED, 2.4),
]
MOST_MEGABYTES = 150.0
FEW, MANY = (8, 12), (3000, 9000)


def peers() -> list[Peer]:
    """Name everybody who takes part; the processes are started later."""
    return [
        aviary(AVIARY, is_cached=False),
        Peer(LIMIT, "benchmarks.peers.bare:rows", "/feed"),
        Peer(LIMIT_JSON, "benchmarks.peers.bare:passed_through", "/feed"),
        Peer("FastAPI + asyncpg + orjson", "benchmarks.peers.fastapi_asyncpg:app", "/feed", is_async=True),
        Peer("FastAPI + asyncpg, no reset of its pool", "benchmarks.peers.fastapi_asyncpg:app", "/feed", is_async=True,
             environ={"BENCH_WITHOUT_RESET": "1"}),
        Peer("FastAPI + SQLAlchemy async", "benchmarks.peers.fastapi_sqlalchemy:app", "/feed", is_async=True),
        Peer("the seeds' stack", "benchmarks.peers.fastapi_sqlalchemy:app", "/seeds", is_async=True,
             environ={"BENCH_SEEDS_CACHE_SECONDS": "0"}),
        Peer("DRF as most write it", "benchmarks.peers.django_peers:application", "/feed", environ=DJANGO),
        Peer("DRF with a query per row", "benchmarks.peers.django_peers:application", "/careless", environ=DJANGO),
        Peer("Django Ninja", "benchmarks.peers.django_peers:application", "/ninja/feed", environ=DJANGO),
        aviary(AVIARY_CACHED, is_cached=True),
        Peer(LIMIT_CACHED, "benchmarks.peers.bare_cached:application", "/feed"),
        Peer(FASTAPI_CACHED, "benchmarks.peers.fastapi_asyncpg:app", "/cached", is_async=True),
    ]  # fmt: skip


class Entrant(NamedTuple):
    """A name in the table: a server, and what it is asked."""

    name: str
    peer: Peer
    requests: Sequence[Request]


def rows(options: Options) -> list[Row]:
    """Start the peers, check that they agree, load them in turn."""
    databases.use(databases.of_posts(options.posts, people_of=options.posts))
    chosen = [peer for peer in peers() if not options.peers or any(part in peer.name for part in options.peers)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        callers = stack.enter_context(prepare.callers(following=(10, 100)))
        statements = folder / "statements.json"
        prepare.write_statements(statements)
        stack.enter_context(serving(chosen, prepare.environment(statements)))
        check_agreement(chosen, callers[:10])
        field = entrants(chosen, callers)
        bursts, costs = interleave(field, options)
        return [*ratios(bursts), *many_follows(chosen, options), *describe(field, bursts, costs)]


def entrants(peers: Sequence[Peer], callers: Sequence[Caller]) -> list[Entrant]:
    """Let each peer take part with its feed, and those that know ETags also with the answer that nothing changed."""
    entered = [Entrant(peer.name, peer, [Request(peer.path, caller.secret) for caller in callers]) for peer in peers]
    for name, of in ((AVIARY_304, AVIARY_CACHED), (LIMIT_304, LIMIT_CACHED)):
        entered += [Entrant(name, peer, unchanged(peer, callers)) for peer in peers if peer.name == of]
    return entered


def unchanged(peer: Peer, callers: Sequence[Caller]) -> list[Request]:
    asked = [(caller.secret, ask(peer, caller.secret)[0]["ETag"]) for caller in callers]
    return [Request(peer.path, key, etag=etag) for key, etag in asked]


def ask(peer: Peer, key: str) -> tuple[Any, Any]:
    """Return the headers and the JSON of one answer."""
    headers = {"Authorization": f"Bearer {key}", "Host": "localhost"}
    request = urllib.request.Request(f"http://127.0.0.1:{peer.port}{peer.path}", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.headers, json.load(response)


def check_agreement(peers: Sequence[Peer], callers: Sequence[Caller]) -> None:
    """Stop unless every peer returns the same posts, with the same names, marks and counts."""
    compared = ("id", "title", "author", "layer", "excerpt", "like_count", "is_liked", "is_shared")
    for caller in callers:
        answers = [
            [{name: post[name] for name in compared} for post in ask(peer, caller.secret)[1]["results"]]
            for peer in peers
        ]
        for peer, answer in zip(peers, answers, strict=True):
            if answer != answers[0] or not answer:
                raise SystemExit(f"{peer.name} does not return what {peers[0].name} does.")


def interleave(field: list[Entrant], options: Options) -> tuple[dict[str, list[Measured]], dict[str, list[float]]]:
    """Load everybody in turn, round after round; return the bursts, and what a request cost in CPU milliseconds.

    A peer that fails is taken out of the field; Aviary may not.
    """
    bursts: dict[str, list[Measured]] = {entrant.name: [] for entrant in field}
    costs: dict[str, list[float]] = {entrant.name: [] for entrant in field}
    for number in range(-1, options.rounds):
        for entrant in list(field):
            try:
                # The first round only warms up.
                measured, cost = load(entrant, options.seconds if number >= 0 else 1)
            except SystemExit as error:
                if entrant.peer.name.startswith(AVIARY):
                    raise
                print(f"{entrant.name} is left out: {error}", flush=True)
                field.remove(entrant)
                del bursts[entrant.name], costs[entrant.name]
                continue
            if number >= 0:
                bursts[entrant.name].append(measured)
                costs[entrant.name].append(cost)
                print(f"round {number + 1}  {entrant.name:<38} {measured.per_second:>9,.0f} requests/s", flush=True)
    return bursts, costs


def load(entrant: Entrant, seconds: float) -> tuple[Measured, float]:
    """Send one burst and let it end; return it, and the CPU milliseconds that a request took."""
    peer = entrant.peer
    before = peer.cpu_seconds()
    measured = burst(port=peer.port, requests=entrant.requests, seconds=seconds)
    used = peer.cpu_seconds() - before
    peer.settle()
    return measured, used / max(1, measured.requests) * 1000


def ratios(bursts: dict[str, list[Measured]]) -> list[Row]:
    """Compare round by round: what disturbed a round disturbed both."""
    return [
        from_rounds(
            f"{ours} vs {theirs}",
            [mine.per_second / other.per_second for mine, other in zip(bursts[ours], bursts[theirs], strict=True)],
            ">=" if goal else "",
            goal,
            "x",
        )
        for ours, theirs, goal in GOALS
        if ours in bursts and theirs in bursts
    ]


def describe(field: Sequence[Entrant], bursts: dict[str, list[Measured]], costs: dict[str, list[float]]) -> list[Row]:
    found = []
    for name, peer, _ in field:
        found += [
            from_rounds(f"{name}: requests per second", [one.per_second for one in bursts[name]], unit="requests/s"),
            from_rounds(f"{name}: CPU", costs[name], unit="ms"),
        ]
        for figure in ("p50", "p95", "p99"):
            found.append(Row(f"{name}: {figure}", median(getattr(one, figure) for one in bursts[name]), unit="ms"))
        goal = MOST_MEGABYTES if name in (AVIARY, AVIARY_CACHED) else None
        found.append(Row(f"{name}: RSS", peer.resident_megabytes(), "<=" if goal else "", goal, "MB"))
    return found


def many_follows(peers: Sequence[Peer], options: Options) -> list[Row]:
    """Compare those who follow thousands with those who follow ten, one request at a time, in turn."""
    peer = next((peer for peer in peers if peer.name == AVIARY), None)
    if peer is None:
        return []
    with prepare.callers(following=FEW, count=40) as few, prepare.callers(following=MANY, count=40) as many:
        if not few or not many:
            print("Nobody follows thousands: that needs a million posts.")
            return []
        medians = medians_in_turn(
            [(peer, [Request(peer.path, caller.secret) for caller in group]) for group in (few, many)], options.rounds
        )
    growth = [slow / quick for quick, slow in zip(*medians, strict=True)]
    return [
        from_rounds("p50 of the feed, 5,000 follows vs 10", growth, "<=", 2.0, "x"),
        from_rounds("p50 of the feed following 10", medians[0], unit="ms"),
        from_rounds("p50 of the feed following 5,000", medians[1], unit="ms"),
    ]


def medians_in_turn(asked: Sequence[tuple[Peer, Sequence[Request]]], rounds: int) -> list[list[float]]:
    """Return the p50 of each round for each of some kinds of requests, sent one at a time, the kinds in turn."""
    medians: list[list[float]] = [[] for _ in asked]
    for number in range(-1, rounds):
        for found, (peer, requests) in zip(medians, asked, strict=True):
            p50 = burst(port=peer.port, requests=requests, seconds=1, connections=1).p50
            # The first round only warms up.
            if number >= 0:
                found.append(p50)
    return medians
