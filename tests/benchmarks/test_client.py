"""The client of the bench sends what the request file says and measures whole answers."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.client import encoded, length_of, run
from benchmarks.load import Request

BODY = b'{"results":[]}'


def test_a_read_carries_its_key() -> None:
    sent = encoded(Request("/api/feed", "secret").line())
    assert sent == b"GET /api/feed HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n"


def test_a_write_carries_its_body_and_its_length_in_bytes() -> None:
    sent = encoded(Request("/api/posts", "secret", "POST", body='{"title":"Eule ü"}').line())
    assert b"Content-Length: 19\r\n" in sent
    assert sent.endswith('\r\n\r\n{"title":"Eule ü"}'.encode())


def test_an_answer_is_as_long_as_it_says() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n"
    assert length_of(head[:-1]) is None
    assert length_of(head) == len(head) + 14


def test_an_answer_that_nothing_changed_has_no_body() -> None:
    head = b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"
    assert length_of(head) == len(head)


def test_an_answer_without_a_length_is_refused() -> None:
    with pytest.raises(ValueError, match="Content-Length"):
        length_of(b"HTTP/1.1 200 OK\r\n\r\n")


def test_each_request_is_sent_once_and_its_outcome_counted() -> None:
    requests = [b"GET /hit HTTP/1.1\r\n\r\n"] * 6 + [b"GET /gone HTTP/1.1\r\n\r\n"] * 3
    # On a thread of its own: the browser's tests leave an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(lambda: asyncio.run(against_a_server(requests))).result()
    assert found["requests"] == 9
    assert found["errors"] == 3
    assert found["outcomes"] == {"HIT": 6, "MISS": 3}


async def against_a_server(requests: list[bytes]) -> dict[str, object]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            await reader.readline()
            is_hit = b"/hit" in head
            status, outcome = (b"200 OK", b"HIT") if is_hit else (b"404 Not Found", b"MISS")
            # In two pieces: an answer may come in any number of them.
            writer.write(b"HTTP/1.1 %b\r\nX-Cache: %b\r\nContent-Length: %d\r\n\r\n" % (status, outcome, len(BODY)))
            await writer.drain()
            writer.write(BODY)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        return await run(port, requests, 3, None)
