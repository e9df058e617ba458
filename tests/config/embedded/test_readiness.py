"""PostgreSQL counts as ready when its own file says so, whatever half-written state that file is in."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import layout
from config.embedded.postgres import Postgres

WHOLE = "4711\n/data\n1700000000\n5432\n/run\n\n  5432001         7\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """A folder and a listening socket such as a PostgreSQL that is starting has them."""
    with tempfile.TemporaryDirectory(prefix="aviary-") as folder:
        monkeypatch.setenv("AVIARY_STATE", str(Path(folder) / "state"))
        postgres = Postgres(layout.current())
        postgres.data.mkdir(parents=True)
        postgres.socket_path.parent.mkdir(parents=True, exist_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(postgres.socket_path))
            listener.listen()
            yield postgres


@pytest.mark.parametrize("text", ["", "4711\n", WHOLE, WHOLE + "starting\n", WHOLE + "stopping\n"])
def test_a_file_that_does_not_end_in_ready_means_not_yet(server: Postgres, text: str) -> None:
    (server.data / "postmaster.pid").write_text(text)
    assert not server.is_ready()


def test_no_file_means_not_yet(server: Postgres) -> None:
    assert not server.is_ready()


def test_ready_with_a_socket_that_answers_means_ready(server: Postgres) -> None:
    (server.data / "postmaster.pid").write_text(WHOLE + "ready   \n")
    assert server.is_ready()
