"""Where things are put, computed without starting anything."""

import os
from pathlib import Path

import pytest

from config.embedded import layout


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4321)


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_the_clone_holds_its_own_state(monkeypatch: pytest.MonkeyPatch, as_user: None) -> None:
    monkeypatch.delenv("AVIARY_STATE")
    monkeypatch.setattr(layout, "CLONE", Path("/tmp"))
    assert layout.current() == layout.Layout(state=Path("/tmp/.aviary"), sockets=Path("/tmp/.aviary/run"))


def test_a_long_path_moves_only_the_sockets_of_an_ordinary_user(monkeypatch: pytest.MonkeyPatch, as_user: None) -> None:
    long = Path("/tmp") / ("x" * 100)
    monkeypatch.setenv("AVIARY_STATE", str(long))
    found = layout.current()
    assert found.state == long
    assert str(found.sockets).startswith("/tmp/aviary-4321-")


def test_a_folder_that_cannot_be_written_moves_to_the_users_state_folder(
    monkeypatch: pytest.MonkeyPatch, as_user: None, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("AVIARY_STATE", "/opt/clone/.aviary")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert layout.current().state.parent == tmp_path / "aviary"


def test_roots_services_move_out_of_a_home_that_others_cannot_enter(
    monkeypatch: pytest.MonkeyPatch, as_root: None, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("AVIARY_STATE", str(tmp_path / "clone" / ".aviary"))
    assert layout.current().state.parent == Path("/var/lib/aviary")


def test_each_clone_has_a_fallback_of_its_own(monkeypatch: pytest.MonkeyPatch, as_root: None, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    found = []
    for name in ("one", "two", "one"):
        monkeypatch.setenv("AVIARY_STATE", str(tmp_path / name))
        found.append(layout.current().state)
    assert found[0] == found[2] != found[1]
