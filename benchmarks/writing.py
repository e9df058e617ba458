"""Like, comment and post through the real API, beside the same statements through bare psycopg, in turn."""

import json
import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlencode

import psycopg
from django.db import connection
from django.test import Client

from agents.models import ApiKey
from benchmarks import databases, prepare, traces
from benchmarks.load import Measured, Request, burst
from benchmarks.options import Options
from benchmarks.prepare import Caller
from benchmarks.results import Row, from_rounds
from benchmarks.servers import Peer, aviary, serving
from benchmarks.traces import Step, Trace
from posts.models import Comment, Like, Post

LEAST = 0.5
POSTS = 50_000
# Ids of four digits and more are told from other numbers by what they look like.
LARGE = 1000


class Write(NamedTuple):
    """A kind of write: its path, in which {post} is the id of a post, and its body."""

    name: str
    path: str
    body: str


WRITES = [
    Write("like", "/api/posts/{post}/like", ""),
    Write("comment", "/api/posts/{post}/comments", json.dumps({"body": "A heron stood in the reeds all morning."})),
    Write("post", "/api/posts", json.dumps({"title": "A heron at dawn", "body": "It stood and waited. " * 20})),
]


def rows(options: Options) -> list[Row]:
    """Load both in turn on a copy of the smallest data set, which is thrown away."""
    smallest = databases.sizes(posts=options.posts, is_all=False)[0]
    name = databases.of_posts(smallest, people_of=options.posts)
    with ExitStack() as stack:
        databases.use(stack.enter_context(databases.copy_of(name)))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        start_large()
        callers = stack.enter_context(prepare.callers(following=(10, 100)))
        posts = list(Post.objects.public().filter(pk__gte=LARGE).order_by("?").values_list("pk", flat=True)[:POSTS])
        forget_likes(callers)
        targets = Targets(callers, posts)
        found = {f"/{write.name}": trace_of(write, targets) for write in WRITES}
        (folder / "traces").write_bytes(pickle.dumps(found))
        ours = aviary("aviary", is_cached=True)
        bare = Peer("bare psycopg", "benchmarks.peers.bare_writes:application")
        environ = prepare.environment() | {"BENCH_TRACES": str(folder / "traces")}
        connection.close()
        stack.enter_context(serving([ours, bare], environ))
        return [row for write in WRITES for row in compare(write, ours, bare, targets, found, options)]


def start_large() -> None:
    """Let ids begin where they look like ids: a trace tells them by that."""
    with connection.cursor() as cursor:
        for model in (ApiKey, Comment):
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [model._meta.db_table, 100 * LARGE])


def forget_likes(callers: Sequence[Caller]) -> None:
    """Let the callers have liked nothing yet."""
    with connection.cursor() as cursor:
        liked_by = [caller.profile_id for caller in callers]
        cursor.execute(f"DELETE FROM {Like._meta.db_table} WHERE profile_id = ANY(%s)", [liked_by])


class Targets:
    """Hands out callers and posts that nobody was given before, so that no like is there already."""

    def __init__(self, callers: Sequence[Caller], posts: Sequence[int]) -> None:
        self._callers = callers
        self._pairs = self._walk(callers, posts)

    @staticmethod
    def _walk(callers: Sequence[Caller], posts: Sequence[int]) -> Iterator[tuple[Caller, int]]:
        for shift in range(len(callers)):
            for number, post in enumerate(posts):
                yield callers[(number + shift) % len(callers)], post

    def take(self, count: int) -> list[tuple[Caller, int]]:
        return [next(self._pairs) for _ in range(count)]


def inputs_of(caller: Caller, post: int) -> dict[str, str]:
    digest = "\\x" + sha256(caller.secret.encode()).hexdigest()
    return {"viewer": str(caller.profile_id), "key": str(caller.key_id), "post": str(post), "digest": digest}


def trace_of(write: Write, targets: Targets) -> Trace:
    """Record what the API asks of PostgreSQL for this write."""
    # The first two make what is only made once: the connection, prepared statements, the row of a rate limit.
    for caller, post in (pairs := targets.take(2)):
        send(write, caller, post)
    # The same callers again, whose rows of this minute are there now.
    posts = [post for _, post in targets.take(2)]
    recordings = []
    for (caller, _), post in zip(pairs, posts, strict=True):
        recordings.append((send(write, caller, post), inputs_of(caller, post)))
    (first, inputs), (second, other_inputs) = recordings
    trace = traces.generalise(first, inputs, second, other_inputs)
    for step in trace.steps:
        step.is_client_side = not can_be_prepared(step)
    for note in trace.unexplained:
        print(f"{write.name}: a constant stands for {note}", flush=True)
    return trace


def send(write: Write, caller: Caller, post: int) -> list[Step]:
    """Send one write through the API in this process; return its statements."""
    with traces.recorded() as steps:
        response = Client(headers={"authorization": f"Bearer {caller.secret}", "host": "localhost"}).post(
            write.path.format(post=post), write.body or None, content_type="application/json"
        )
    if response.status_code not in (200, 201):
        raise SystemExit(f"{write.name}: {response.status_code} {response.content[:500]!r}")
    return steps


def can_be_prepared(step: Step) -> bool:
    """Whether PostgreSQL knows the types of a statement's parameters without their values."""
    if step.sql == traces.COMMIT or step.is_raw:
        return True
    places = [f"${number + 1}" for number in range(len(step.parameters))]
    with psycopg.connect(os.environ.get("BENCH_DSN") or prepare.addresses()["BENCH_DSN"], autocommit=True) as raw:
        result = raw.pgconn.prepare(b"", (step.sql % tuple(places)).encode())
        return result.status == psycopg.pq.ExecStatus.COMMAND_OK


def compare(
    write: Write, ours: Peer, bare: Peer, targets: Targets, found: dict[str, Trace], options: Options
) -> list[Row]:
    """Load both with the same write in turn."""
    bursts: dict[str, list[Measured]] = {ours.name: [], bare.name: []}
    costs: dict[str, list[float]] = {ours.name: [], bare.name: []}
    for number in range(-1, options.rounds):
        for peer in (ours, bare):
            # More than either can do: wrk begins again at the end of its list, where likes are no longer new.
            pairs = targets.take(int(2000 * options.seconds))
            requests = [request_to(peer, write, caller, post) for caller, post in pairs]
            before = peer.cpu_seconds()
            measured = burst(port=peer.port, requests=requests, seconds=options.seconds if number >= 0 else 1)
            if number >= 0:
                bursts[peer.name].append(measured)
                costs[peer.name].append((peer.cpu_seconds() - before) / max(1, measured.requests) * 1000)
                print(f"round {number + 1}  {write.name} {peer.name:<14} {measured.per_second:>7,.0f}/s", flush=True)
    pairs_of_bursts = zip(bursts[ours.name], bursts[bare.name], strict=True)
    ratios = [mine.per_second / theirs.per_second for mine, theirs in pairs_of_bursts]
    statements = sum(step.sql != traces.COMMIT for step in found[f"/{write.name}"].steps)
    return [
        from_rounds(f"{write.name} vs its statements through bare psycopg", ratios, ">=", LEAST, "x"),
        from_rounds(f"{write.name}, aviary", [one.per_second for one in bursts[ours.name]], unit="requests/s"),
        from_rounds(f"{write.name}, bare psycopg", [one.per_second for one in bursts[bare.name]], unit="requests/s"),
        from_rounds(f"{write.name}, aviary: CPU of the web process", costs[ours.name], unit="ms"),
        from_rounds(f"{write.name}, bare psycopg: CPU of the web process", costs[bare.name], unit="ms"),
        Row(f"{write.name}, statements", statements, unit="statements"),
    ]


def request_to(peer: Peer, write: Write, caller: Caller, post: int) -> Request:
    path = write.path.format(post=post)
    if peer.name == "bare psycopg":
        inputs = {name: value for name, value in inputs_of(caller, post).items() if name != "digest"}
        path = f"/{write.name}?{urlencode(inputs)}"
    return Request(path, caller.secret, "POST", body=write.body)
