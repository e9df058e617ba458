"""A local server that speaks the documented requests of every network and fails on command."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw or b"{}")

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.raw.decode()).items()}

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """What goes wrong with requests that match, and when: before or after the server has accepted them.

    `kind`: status, timeout, reset, reset_mid_body, garbage, or call (runs `action`, then goes on).
    """

    kind: str
    method: str = "POST"
    path: str = ".*"
    after: bool = False
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    times: int = 1
    action: Callable[[], None] = lambda: None

    def matches(self, request: Request, *, after: bool) -> bool:
        return (
            self.times > 0
            and self.after is after
            and self.method == request.method
            and re.fullmatch(self.path, request.path) is not None
        )


class NetworkServer:
    """Holds the posts of all accounts in memory; `speak` maps a request to an answer."""

    def __init__(self) -> None:
        self.speakers: list[Callable[[Request], Answer | None]] = []
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.lock = threading.Lock()
        self.delay_seconds = 0.0
        self._server = _Listener(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail(self, kind: str, **options: Any) -> None:
        self.faults.append(Fault(kind, **options))

    def fault_for(self, request: Request, *, after: bool) -> Fault | None:
        with self.lock:
            fault = next((fault for fault in self.faults if fault.matches(request, after=after)), None)
            if fault:
                fault.times -= 1
            return fault

    def speak(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            for speaker in self.speakers:
                if answer := speaker(request):
                    return answer
        return Answer(404, {"error": "Not found"})

    def seen(self, method: str, path: str) -> list[Request]:
        return [one for one in self.requests if one.method == method and re.fullmatch(path, one.path)]


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    # Many connections arrive at once when thousands of posts are due.
    request_queue_size = 128

    def __init__(self, network: NetworkServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.network = network


class _Handler(BaseHTTPRequestHandler):
    """Takes requests off the wire, lets go wrong what is to go wrong, and answers."""

    server: _Listener
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        with suppress(ConnectionError):
            super().handle_one_request()

    def serve(self) -> None:
        request = self.parse()
        if self.fails(request, Answer(), after=False):
            return
        time.sleep(self.server.network.delay_seconds)
        answer = self.server.network.speak(request)
        if not self.fails(request, answer, after=True):
            self.answer(answer)

    do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815

    def parse(self) -> Request:
        url = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, url.path, query, headers, raw)

    def answer(self, answer: Answer) -> None:
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_head(answer, len(body))
        self.wfile.write(body)

    def send_head(self, answer: Answer, length: int) -> None:
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def fails(self, request: Request, answer: Answer, *, after: bool) -> bool:
        """Go through what is to go wrong; whether the request was dealt with."""
        while fault := self.server.network.fault_for(request, after=after):
            if self.fail(fault, answer):
                return True
        return False

    def fail(self, fault: Fault, answer: Answer) -> bool:
        match fault.kind:
            case "call":
                fault.action()
                return False
            case "status":
                self.answer(Answer(fault.status, fault.body or {"error": "Injected"}, fault.headers))
            case "garbage":
                self.answer(Answer(200, "not what was asked for"))
            case "timeout":
                # Until the client gives up.
                with suppress(OSError):
                    self.connection.recv(1)
                self.close_connection = True
            case "reset":
                self.reset()
            case "reset_mid_body":
                self.send_head(answer, 10_000)
                self.wfile.write(b'{"id": ')
                self.reset()
        return True

    def reset(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *args: object) -> None:
        """Stay silent: the test says what went wrong."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(timestamp, usegmt=True)
