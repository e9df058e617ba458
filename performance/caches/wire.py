"""The shortest way to Valkey, for what every request asks: one write, one read, no client in between.

A general client spends some 60 us of CPU per command on features that one pipelined question does not need.
"""

import os
import socket
import struct
import threading
from typing import Any

import hiredis
from django.conf import settings
from redis.connection import parse_url

from performance.caches.valkey import UNREACHABLE, breaker

_READ_BYTES = 65_536
_threads = threading.local()

type Command = tuple[Any, ...]


class _Wire:
    def __init__(self, url: str, *, timeout: float) -> None:
        address = parse_url(url)  # type: ignore[no-untyped-call]
        if "path" in address:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(timeout)
            self._socket.connect(address["path"])
        else:
            target = (address.get("host", "localhost"), int(address.get("port", 6379)))
            self._socket = socket.create_connection(target, timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if url.startswith("rediss:"):
            self._socket = _encrypted(self._socket, address.get("host", "localhost"))
        else:
            _let_the_kernel_wait(self._socket, timeout)
        self._reader = hiredis.Reader(replyError=OSError)
        self.owner = (url, os.getpid())
        if "password" in address:
            self._ask_once("AUTH", *([address["username"]] if "username" in address else []), address["password"])
        if address.get("db"):
            self._ask_once("SELECT", str(address["db"]))

    def _ask_once(self, *command: str) -> None:
        (reply,) = self.ask([command])
        if isinstance(reply, Exception):
            raise reply

    def ask(self, commands: list[Any]) -> list[Any]:
        self._socket.sendall(b"".join(map(hiredis.pack_command, commands)))
        replies: list[Any] = []
        while len(replies) < len(commands):
            received = self._socket.recv(_READ_BYTES)
            if not received:
                raise ConnectionResetError("Valkey closed the connection")
            self._reader.feed(received)
            while (reply := self._reader.gets()) is not False:
                replies.append(reply)
        return replies

    def close(self) -> None:
        self._socket.close()

    def __del__(self) -> None:
        # The thread that owned it has ended.
        if hasattr(self, "_socket"):
            self._socket.close()


def _let_the_kernel_wait(plain: socket.socket, timeout: float) -> None:
    """Time out in the kernel: with Python's own time-out each call is two, and two hand-overs of the interpreter."""
    seconds, rest = divmod(timeout, 1)
    limit = struct.pack("ll", int(seconds), int(rest * 1e6))
    plain.settimeout(None)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _encrypted(plain: socket.socket, host: str) -> socket.socket:
    import ssl

    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def ask_all(*commands: Command) -> Any:
    """Send commands at once and return their replies, or `UNREACHABLE`; an error reply is an exception in the list."""
    return breaker.call(lambda: _ask(list(commands)), otherwise=UNREACHABLE)


def _ask(commands: list[Any]) -> list[Any]:
    config = settings.CACHES["default"]
    url = config["LOCATION"]
    wire: _Wire | None = getattr(_threads, "wire", None)
    is_new = wire is None or wire.owner != (url, os.getpid())
    if wire is None or is_new:
        wire = _threads.wire = _Wire(url, timeout=config["OPTIONS"]["SOCKET_TIMEOUT"])
    try:
        return wire.ask(commands)
    except (TimeoutError, BlockingIOError):
        # What timed out is not asked again: that would be waited for twice.
        _forget(wire)
        raise
    except OSError:
        # A connection from before a restart: everything asked here may be asked again.
        _forget(wire)
        if is_new:
            raise
        return _ask(commands)


def _forget(wire: _Wire) -> None:
    wire.close()
    _threads.wire = None
