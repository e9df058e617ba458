import argparse
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import prepare
from benchmarks.load import WRK, Measured, burst
from benchmarks.results import Figure, save, show
from benchmarks.servers import Peer

AVIARY, LIMIT, LIMIT_JSON = "aviary", "bare WSGI + psycopg + orjson", "bare WSGI, JSON from PostgreSQL"
AVIARY_CACHED, LIMIT_CACHED, FASTAPI_CACHED = "aviary, cached", "bare WSGI + Valkey GET", "FastAPI + Redis"
SETTINGS = "benchmarks.peers.aviary_settings"
PEERS = [
    Peer(AVIARY, "config.wsgi:application", "/api/feed",
         environ={"DJANGO_SETTINGS_MODULE": SETTINGS, "BENCH_UNCACHED": "1"}),
    Peer(LIMIT, "benchmarks.peers.bare:rows", "/feed"),
    Peer(LIMIT_JSON, "benchmarks.peers.bare:passed_through", "/feed"),
    Peer("FastAPI + asyncpg + orjson", "benchmarks.peers.fastapi_asyncpg:app", "/feed", is_async=True),
    Peer("FastAPI + SQLAlchemy async", "benchmarks.peers.fastapi_sqlalchemy:app", "/feed", is_async=True),
    Peer("the seeds' stack", "benchmarks.peers.fastapi_sqlalchemy:app", "/seeds", is_async=True,
         environ={"BENCH_SEEDS_CACHE_SECONDS": "0"}),
    Peer("DRF as most write it", "benchmarks.peers.django_peers:application", "/feed",
         environ={"DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings"}),
    Peer("DRF with a query per row", "benchmarks.peers.django_peers:application", "/careless",
         environ={"DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings"}),
    Peer("Django Ninja", "benchmarks.peers.django_peers:application", "/ninja/feed",
         environ={"DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings"}),
    Peer(AVIARY_CACHED, "config.wsgi:application", "/api/feed", environ={"DJANGO_SETTINGS_MODULE": SETTINGS}),
    Peer(LIMIT_CACHED, "benchmarks.peers.bare_cached:application", "/feed"),
    Peer(FASTAPI_CACHED, "benchmarks.peers.fastapi_asyncpg:app", "/cached", is_async=True),
]  # fmt: skip
GOALS = [
    (AVIARY, LIMIT, 0.70),
    (AVIARY, LIMIT_JSON, None),
    (AVIARY, "FastAPI + asyncpg + orjson", 1.2),
    (AVIARY, "FastAPI + SQLAlchemy async", 4.0),
    (AVIARY, "the seeds' stack", 6.0),
    (AVIARY, "DRF as most write it", 7.0),
    (AVIARY, "DRF with a query per row", None),
    (AVIARY, "Django Ninja", None),
    (AVIARY_CACHED, LIMIT_CACHED, 0.95),
    (AVIARY_CACHED, FASTAPI_CACHED, 2.4),
]


def run(options: argparse.Namespace, folder: Path) -> None:
    """Prepare the data, start the peers, check that they agree, load them in turn, write the results."""
    prepare.fill(options.posts)
    statements = folder / "statements.json"
    prepare.write_statements(statements)
    chosen = [peer for peer in PEERS if not options.only or any(part in peer.name for part in options.only)]
    log = folder / "servers.log"
    try:
        keys = prepare.callers(following=(10, 100))
        environ = prepare.environment(statements)
        for peer in chosen:
            peer.start(environ, log)
            peer.wait()
        check_agreement(chosen, keys[:10])
        bursts, costs = rounds(chosen, keys, options, folder)
        figures = [*describe(chosen, bursts, costs), *ratios(bursts), *growth(chosen, options, folder)]
    except SystemExit:
        print(log.read_text()[-4000:] if log.exists() else "")
        raise
    finally:
        for peer in chosen:
            peer.stop()
        prepare.remove_callers()
    print(f"\n{options.posts:,} posts, {len(keys)} callers, {options.rounds} rounds, load by {WRK or 'threads'}\n")
    show(figures)
    save(figures)


def ask(peer: Peer, key: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{peer.port}{peer.path}", headers={"Authorization": f"Bearer {key}", "Host": "localhost"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)["results"]


def check_agreement(peers: list[Peer], keys: list[str]) -> None:
    """Stop unless every peer returns the same posts, with the same names, marks and counts."""
    compared = ("id", "title", "author", "layer", "excerpt", "like_count", "is_liked", "is_shared")
    for key in keys:
        answers = [[{name: post[name] for name in compared} for post in ask(peer, key)] for peer in peers]
        for peer, answer in zip(peers, answers, strict=True):
            if answer != answers[0]:
                raise SystemExit(f"{peer.name} does not return what {peers[0].name} does.")


def rounds(
    peers: list[Peer], keys: list[str], options: argparse.Namespace, folder: Path
) -> tuple[dict[str, list[Measured]], dict[str, list[float]]]:
    bursts: dict[str, list[Measured]] = {peer.name: [] for peer in peers}
    costs: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for number in range(-1, options.rounds):
        for peer in peers:
            before = peer.cpu_seconds()
            # The first round only warms up.
            seconds = options.seconds if number >= 0 else 1
            measured = burst(port=peer.port, path=peer.path, keys=keys, seconds=seconds, folder=folder)
            if measured.errors:
                raise SystemExit(f"{peer.name}: {measured.errors} failed requests.")
            if number >= 0:
                bursts[peer.name].append(measured)
                costs[peer.name].append((peer.cpu_seconds() - before) / max(1, measured.requests) * 1000)
                print(f"round {number + 1}  {peer.name:<34} {measured.per_second:>9.0f} requests/s", flush=True)
    return bursts, costs


def describe(peers: list[Peer], bursts: dict[str, list[Measured]], costs: dict[str, list[float]]) -> list[Figure]:
    figures = []
    for peer in peers:
        rates = [measured.per_second for measured in bursts[peer.name]]
        figures += [
            Figure(f"{peer.name}: requests per second", median(rates), "/s"),
            Figure(
                f"{peer.name}: spread of requests per second", (max(rates) - min(rates)) / median(rates), "of median"
            ),
            Figure(f"{peer.name}: CPU", median(costs[peer.name]), "ms/request"),
        ]
        for name in ("p50", "p95", "p99"):
            latency = median(getattr(measured, name) for measured in bursts[peer.name])
            figures.append(Figure(f"{peer.name}: {name}", latency, "ms"))
        limit = ("<=", 150.0) if peer.name.startswith(AVIARY) else ("", None)
        figures.append(Figure(f"{peer.name}: RSS", peer.resident_megabytes(), "MB", *limit))
    return figures


def ratios(bursts: dict[str, list[Measured]]) -> list[Figure]:
    """Compare round by round: what disturbed a round disturbed both."""
    figures = []
    for ours, theirs, goal in GOALS:
        if ours in bursts and theirs in bursts:
            pairs = zip(bursts[ours], bursts[theirs], strict=True)
            ratio = median(mine.per_second / other.per_second for mine, other in pairs)
            figures.append(Figure(f"{ours} vs {theirs}", ratio, "x", ">=" if goal else "", goal))
    return figures


def growth(peers: list[Peer], options: argparse.Namespace, folder: Path) -> list[Figure]:
    """Compare those who follow thousands with those who follow ten."""
    aviary = next((peer for peer in peers if peer.name == AVIARY), None)
    if aviary is None:
        return []
    measure: Callable[[tuple[int, int]], float] = lambda following: burst(  # noqa: E731
        port=aviary.port, path=aviary.path, keys=prepare.callers(following=following, count=40),
        seconds=options.seconds, folder=folder,
    ).p50  # fmt: skip
    few, many = measure((8, 12)), measure((3000, 9000))
    return [
        Figure(f"p50 of the feed following 10, {options.posts:,} posts", few, "ms"),
        Figure(f"p50 of the feed following 5,000, {options.posts:,} posts", many, "ms"),
        Figure("p50 following 5,000 vs 10", many / few, "x", "<=", 2.0),
    ]
