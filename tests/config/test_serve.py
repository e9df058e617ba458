"""`serve` in production: the application, the uploads beside it, as many streams as it may hold, and its end."""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from agents.api.streaming import PER_VIEWER
from config.embedded.layout import CLONE
from tests.concurrency import wait_until
from tests.config.test_production_settings import GOOD_KEY
from tests.factories import make_key, make_person

HOST = "127.0.0.1"
STREAMS = 20


class Server(subprocess.Popen[bytes]):
    """A server of the test's own, with what it serves beside the application."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port: int = probe.getsockname()[1]
        database = connection.settings_dict
        env = {
            **os.environ,
            "DATABASE_URL": f"postgres://{database['USER']}@{quote(database['HOST'], safe='')}/{database['NAME']}",
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "SECRET_KEY": GOOD_KEY,
            "ALLOWED_HOSTS": HOST,
            "SECURE_SSL_REDIRECT": "false",
            "MEDIA_ROOT": str(folder / "media"),
            "STATIC_ROOT": str(folder / "static"),
            "EVENT_STREAMS": str(STREAMS),
            # No stream ends by itself while the test waits.
            "EVENT_STREAM_SECONDS": "600",
        }
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port), "--workers", "1"]
        super().__init__(command, cwd=CLONE, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def open(self, path: str, **headers: str) -> http.client.HTTPResponse:
        client = http.client.HTTPConnection(HOST, self.port, timeout=30)
        # Whoever closes the answer then closes the connection.
        client.request("GET", path, headers={"Connection": "close", **headers})
        return client.getresponse()

    def stream(self, key: str) -> http.client.HTTPResponse:
        return self.open("/api/events", Authorization=f"Bearer {key}")

    def ask(self, path: str) -> tuple[int, str | None, bytes]:
        with self.open(path) as response:
            return response.status, response.getheader("Content-Type"), response.read()


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[Server]:
    uploads = tmp_path / "media"
    uploads.mkdir()
    (uploads / "song.webp").write_bytes(b"RIFF")
    (tmp_path / "secret.txt").write_text("not for you")
    with Server(tmp_path) as server:
        try:
            wait_until(server.answers)
            yield server
        finally:
            server.kill()


def test_a_server_holds_all_its_streams_answers_beside_them_and_ends_at_once(server: Server) -> None:
    assert_uploads_are_served(server)
    with ExitStack() as held:
        keys = [make_key(make_person()) for _ in range(0, STREAMS, PER_VIEWER)]
        streams = [held.enter_context(server.stream(keys[number // PER_VIEWER])) for number in range(STREAMS)]
        for stream in streams:
            assert stream.readline() == b"retry: 2000\n"
            assert any(line == b"event: counts\n" for line in stream)
        with server.stream(make_key(make_person())) as beyond:
            assert beyond.readline() == b"retry: 10000\n"
        for _ in range(20):
            assert server.ask("/health/")[0] == server.ask("/api/communities")[0] == 200
        server.terminate()
        assert server.wait(timeout=30) == 0
        for stream in streams:
            assert stream.read().endswith(b"\n\n")


def assert_uploads_are_served(server: Server) -> None:
    assert server.ask("/media/song.webp") == (200, "image/webp", b"RIFF")
    for path in ("/media/../secret.txt", "/media/%2e%2e/secret.txt", "/media/..%2fsecret.txt", "/media/"):
        status, _, body = server.ask(path)
        assert status == 404 and b"not for you" not in body, path
