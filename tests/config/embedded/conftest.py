import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.embedded import layout
from tests.concurrency import wait_until

HOLD = "from config import embedded; embedded.ensure(); print('held', flush=True); input()"


class Instance:
    """Services of a test's own, held by child processes."""

    def __init__(self, state: Path) -> None:
        self.env = {**os.environ, "AVIARY_STATE": str(state)}
        self.wanted = state
        self.holders: list[subprocess.Popen[str]] = []

    @property
    def layout(self) -> layout.Layout:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AVIARY_STATE", str(self.wanted))
            return layout.current()

    def begin(self) -> subprocess.Popen[str]:
        """Start a process that holds on to the services, without waiting for them."""
        pipe = subprocess.PIPE
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD], cwd=layout.CLONE, env=self.env, stdin=pipe, stdout=pipe, text=True
        )
        self.holders.append(holder)
        return holder

    def hold(self) -> subprocess.Popen[str]:
        holder = self.begin()
        assert was_held(holder)
        return holder

    def run(self, code: str, **env: str) -> None:
        subprocess.run([sys.executable, "-c", code], cwd=layout.CLONE, env={**self.env, **env}, check=True)

    def manage(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        env = {**self.env, "DJANGO_SETTINGS_MODULE": "config.settings.dev", **env}
        return subprocess.run(command, cwd=layout.CLONE, env=env, capture_output=True, text=True, check=False)

    def servers(self) -> dict[str, int]:
        """Return the process ids of the servers that work on this instance's data, by name."""
        folders = {str(self.layout.state / name): name for name in ("postgres", "valkey")}
        found: dict[str, int] = {}
        for process in psutil.process_iter(["name"]):
            try:
                # Looking at each of the others would take longer than what is waited for.
                if not process.info["name"].startswith(("postgres", "valkey")):
                    continue
                name = folders.get(process.cwd())
                # PostgreSQL's own children share its folder and have it as their parent.
                if name and (parent := process.parent()) and parent.name() != process.name():
                    assert name not in found, f"two servers work on one folder: {found}"
                    found[name] = process.pid
            except (psutil.Error, OSError):
                continue
        return found

    def supervisors(self) -> list[psutil.Process]:
        return [psutil.Process(psutil.Process(pid).ppid()) for pid in self.servers().values()]

    def close(self) -> None:
        for holder in self.holders:
            holder.kill()
            holder.communicate()
        # Nothing is kept of them: they need not write it all down before they end.
        for name, pid in self.servers().items():
            os.kill(pid, signal.SIGQUIT if name == "postgres" else signal.SIGKILL)
        wait_until(lambda: not self.servers())
        for folder in (self.layout.state, self.layout.sockets, self.wanted):
            shutil.rmtree(folder, ignore_errors=True)


def was_held(holder: subprocess.Popen[str]) -> bool:
    assert holder.stdout is not None
    return holder.stdout.readline() == "held\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may walk through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="aviary-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def instance(folder: Path) -> Iterator[Instance]:
    instance = Instance(folder / "state")
    yield instance
    instance.close()
