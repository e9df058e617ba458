"""A server that speaks OpenAI's wire format, and breaks it in the ways that real ones do."""

import base64
import io
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

type Behaviour = Callable[["Handler"], None]


def completion(content: Any, **changes: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [choice | changes.pop("choice", {})],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }
    return json.dumps(body | changes).encode()


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 36), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def picture() -> bytes:
    return json.dumps({"created": 1, "data": [{"b64_json": base64.b64encode(png()).decode()}]}).encode()


class Handler(BaseHTTPRequestHandler):
    server: "FaultServer"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.requests.append((self.headers, json.loads(self.rfile.read(length))))
        behaviour = self.server.script.pop(0) if self.server.script else self.server.usual
        behaviour(self)

    def send(self, body: bytes, *, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay quiet."""


class FaultServer(ThreadingHTTPServer):
    """Answers by script, one behaviour per request, then as usual."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Behaviour] = []
        self.usual: Behaviour = answer()
        self.requests: list[tuple[Any, dict[str, Any]]] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are expected."""


def answer(content: Any = '{"title": "Herons at dawn"}', **changes: Any) -> Behaviour:
    return lambda handler: handler.send(completion(content, **changes))


def raw(body: bytes, *, status: int = 200, **headers: str) -> Behaviour:
    return lambda handler: handler.send(body, status=status, **headers)


def cut_off(handler: Handler) -> None:
    """Promise more bytes than are sent."""
    body = completion('{"title": "Herons at dawn"}')
    handler.send(body[: len(body) // 2], Content_Length=str(len(body)))
    handler.close_connection = True


def reset(handler: Handler) -> None:
    """Do the work, then reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Send a byte at a time: each in time, the whole never."""
    handler.send(b"", Content_Length="100000")
    for _ in range(200):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.02)


def silence(handler: Handler) -> None:
    time.sleep(1.0)
    handler.close_connection = True
