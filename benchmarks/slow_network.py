"""A server that speaks Mastodon's `POST /api/v1/statuses` and takes 50 ms to answer, in a process of its own."""

import asyncio
import itertools
import sys

DELAY_SECONDS = 0.05
_ids = itertools.count(1)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            await reader.readexactly(length)
            await asyncio.sleep(DELAY_SECONDS)
            number = next(_ids)
            body = b'{"id":"%d","url":"https://slow.example/%d","created_at":null}' % (number, number)
            body = body.replace(b"null", b'"2026-01-01T00:00:00Z"')
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
