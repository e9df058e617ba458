"""One server process per peer, and what it costs."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from config.management.commands.serve import THREADS

BIN = Path(sys.executable).parent


@dataclass
class Peer:
    """Somebody who serves: how it is started, and where it listens."""

    name: str
    target: str
    path: str = ""
    is_async: bool = False
    # Measured: also what suits a bare application best.
    threads: int = THREADS
    environ: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: Any = None

    def start(self, environ: dict[str, str], log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with log.open("ab") as output:
            self.process = psutil.Popen(
                self._command(), env={**environ, **self.environ}, stdout=output, stderr=subprocess.STDOUT
            )

    def _command(self) -> list[str]:
        if self.is_async:
            # What FastAPI's own documentation runs, with its fast loop and parser.
            options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
            return [str(BIN / "uvicorn"), self.target, "--port", str(self.port), *options]
        options = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", str(self.threads), "--no-ws"]
        options += ["--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning"]
        options += ["--blocking-threads-idle-timeout", "600"]
        return [str(BIN / "granian"), *options, self.target]

    def wait(self, *, seconds: float = 60) -> None:
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise SystemExit(f"{self.name} did not start.")

    def stop(self) -> None:
        if self.process is None:
            return
        every = [self.process, *self.process.children(recursive=True)]
        for process in every:
            try:
                process.terminate()
            except psutil.NoSuchProcess:
                continue
        _, alive = psutil.wait_procs(every, timeout=5)
        for process in alive:
            process.kill()

    def cpu_seconds(self) -> float:
        return sum(process.cpu_times().user + process.cpu_times().system for process in self._processes())

    def settle(self, *, seconds: float = 10) -> None:
        """Wait until nothing is being answered any more: a burst ends with requests on their way."""
        give_up, used = time.monotonic() + seconds, -1.0
        while used != (used := self.cpu_seconds()) and time.monotonic() < give_up:
            time.sleep(0.05)

    def resident_megabytes(self) -> float:
        """Return the memory of the process that answers: the largest of the server's."""
        return max(process.memory_info().rss for process in self._processes()) / 1e6

    def _processes(self) -> list[Any]:
        return [self.process, *self.process.children(recursive=True)]


AVIARY_SETTINGS = {"DJANGO_SETTINGS_MODULE": "benchmarks.peers.aviary_settings"}


def aviary(name: str, *, is_cached: bool, **environ: str) -> Peer:
    """Make a server of the real thing, its response cache on or off."""
    uncached = {} if is_cached else {"BENCH_UNCACHED": "1"}
    return Peer(name, "config.wsgi:application", "/api/feed", environ=AVIARY_SETTINGS | uncached | environ)


@contextmanager
def serving(peers: Iterable[Peer], environ: dict[str, str]) -> Iterator[None]:
    """Run servers; show their log when the work with them fails."""
    started = []
    with TemporaryDirectory() as folder:
        log = Path(folder) / "servers.log"
        try:
            for peer in peers:
                started.append(peer)
                peer.start(environ, log)
                peer.wait()
            yield
        except BaseException:
            print(log.read_text(errors="replace")[-4000:] if log.exists() else "")
            raise
        finally:
            for peer in started:
                peer.stop()
