"""A small HTTP client that does nothing but send and measure: `python -m benchmarks.client PORT FILE CONNECTIONS`."""

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
OUTCOME = re.compile(rb"\r\nx-cache: *(\w+)", re.IGNORECASE)
WITHOUT_BODY = (b"204", b"304")


def encoded(line: str) -> bytes:
    """Turn a line of the request file into the bytes to send."""
    method, path, key, etag, body = line.rstrip("\n").split("\t")
    head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}"]
    if etag:
        head.append(f"If-None-Match: {etag}")
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
    return "\r\n".join([*head, "", body]).encode()


def length_of(answer: bytes) -> int | None:
    """Return how long an answer is with its head, None while that is unknown.

    Raises `ValueError` for one that does not say it.
    """
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return None
    if answer[9:12] in WITHOUT_BODY:
        return end + 4
    found = LENGTH.search(answer, 0, end)
    if found is None:
        raise ValueError("An answer without Content-Length.")
    return end + 4 + int(found[1])


class Tally:
    """What all connections have seen so far, and when they shall stop."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.requests = requests
        self.until = until
        self.latencies: list[float] = []
        self.outcomes: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def count(self, request: bytes, answer: bytes, seconds: float) -> None:
        self.latencies.append(seconds * 1000)
        if answer[9:12] >= b"400":
            self.failures[f"{answer[9:12].decode()} {request.split(b' ', 2)[1].decode()}"] += 1
        if found := OUTCOME.search(answer, 0, answer.find(b"\r\n\r\n")):
            self.outcomes[found[1].decode()] += 1


class Caller(asyncio.Protocol):
    """One connection: sends the next request when the answer to the last one is whole."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.answer = b""
        self.request = b""
        self.sent_at = 0.0
        self.is_done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        now = time.perf_counter()
        request = next(self.tally.requests, None) if now < self.tally.until else None
        if request is None:
            self.is_done.set_result(None)
            self.transport.close()
            return
        self.request, self.sent_at = request, now
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.answer += data
        length = length_of(self.answer)
        if length is not None and len(self.answer) >= length:
            self.tally.count(self.request, self.answer, time.perf_counter() - self.sent_at)
            self.answer = b""
            self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_done.done():
            self.is_done.set_exception(error or ConnectionError("The server closed the connection."))


async def run(port: int, requests: list[bytes], connections: int, seconds: float | None) -> dict[str, object]:
    """Send all requests once, or go through them again and again for some seconds."""
    started = time.perf_counter()
    until = float("inf") if seconds is None else started + seconds
    tally = Tally(iter(requests) if seconds is None else cycle(requests), until)
    loop = asyncio.get_running_loop()
    callers = [
        caller
        for _, caller in [
            await loop.create_connection(lambda: Caller(tally), "127.0.0.1", port) for _ in range(connections)
        ]
    ]
    await asyncio.gather(*(caller.is_done for caller in callers))
    took = time.perf_counter() - started
    cuts = quantiles(tally.latencies, n=100)
    return {
        "requests": len(tally.latencies), "seconds": took, "p50": cuts[49], "p95": cuts[94], "p99": cuts[98],
        "errors": tally.failures.total(), "outcomes": tally.outcomes, "failures": tally.failures,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("connections", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--once", action="store_true")
    arguments = parser.parse_args()
    requests = [encoded(line) for line in arguments.file.read_text().splitlines()]
    try:
        from uvloop import run as run_loop
    except ImportError:
        from asyncio import run as run_loop
    seconds = None if arguments.once else arguments.seconds
    print(json.dumps(run_loop(run(arguments.port, requests, arguments.connections, seconds))))


if __name__ == "__main__":
    main()
