"""`serve` in production: the application, and the uploads beside it."""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.layout import CLONE
from tests.concurrency import wait_until
from tests.config.test_production_settings import GOOD_KEY

HOST = "127.0.0.1"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server of the test's own, and a port on which it answers."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    uploads = tmp_path / "media"
    uploads.mkdir()
    (uploads / "song.webp").write_bytes(b"RIFF")
    (tmp_path / "secret.txt").write_text("not for you")
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "SECRET_KEY": GOOD_KEY,
        "ALLOWED_HOSTS": HOST,
        "SECURE_SSL_REDIRECT": "false",
        "MEDIA_ROOT": str(uploads),
        "STATIC_ROOT": str(tmp_path / "static"),
    }
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(command, cwd=CLONE, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(port))
        yield port
    finally:
        server.terminate()
        server.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def ask(port: int, path: str) -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    answer = response.status, response.getheader("Content-Type"), response.read()
    connection.close()
    return answer


def test_the_application_and_the_uploads_are_served(port: int) -> None:
    assert ask(port, "/health/")[0] == 200
    assert ask(port, "/media/song.webp") == (200, "image/webp", b"RIFF")
    for path in ("/media/../secret.txt", "/media/%2e%2e/secret.txt", "/media/..%2fsecret.txt", "/media/"):
        status, _, body = ask(port, path)
        assert status == 404 and b"not for you" not in body, path
