"""config/setup.sh finds a Python that really runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded.layout import CLONE

# What a pyenv shim does for a version that is not active.
BROKEN = "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n"
OLD = "#!/bin/sh\nexit 1\n"
GOOD = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with the script's own tools and no Python at all."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("dirname", "ls", "sort"):
        program = next(Path(place) / tool for place in ("/usr/bin", "/bin") if (Path(place) / tool).exists())
        (folder / tool).symlink_to(program)
    return folder


def install(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(script)
    program.chmod(0o755)
    return program


def find_python(path: Path) -> subprocess.CompletedProcess[str]:
    env = {"PATH": str(path), "HOME": str(path.parent)}
    command = ["/bin/sh", str(CLONE / "config" / "setup.sh"), "--find-python"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_a_shim_that_only_prints_an_error_is_skipped(path: Path) -> None:
    install(path, "python3.14", BROKEN)
    good = install(path, "python3.13", GOOD)
    install(path, "python3.12", GOOD)
    assert find_python(path).stdout == f"{good}\n"


def test_a_python_that_is_too_old_is_skipped_for_the_newest_of_pyenv(path: Path) -> None:
    install(path, "python3", OLD)
    versions = path.parent / ".pyenv" / "versions"
    for version, script in [
        ("3.9.18", OLD),
        ("3.12.11", GOOD),
        ("3.13.9", GOOD),
        ("3.13.10", GOOD),
        ("3.14.0", BROKEN),
    ]:
        install(versions / version / "bin", "python3", script)
    assert find_python(path).stdout == f"{versions}/3.13.10/bin/python3\n"


def test_without_any_the_message_says_what_to_install(path: Path) -> None:
    done = find_python(path)
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.startswith("No Python 3.12 or newer with a venv module was found. Install Python 3.12 or newer")
    assert done.stderr.count("\n") == 1


def test_the_script_can_be_executed() -> None:
    assert os.access(CLONE / "config" / "setup.sh", os.X_OK)
