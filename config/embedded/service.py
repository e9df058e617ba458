"""What the two services have in common: start as a child, be ready, stop, and clear what a killed one left."""

import contextlib
import ctypes
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import psutil

from config.embedded.account import make_open_folder, make_private_folder, run_as
from config.embedded.errors import EmbeddedError
from config.embedded.layout import Layout
from config.embedded.programs import Programs

LOG_BYTES = 5_000_000
PR_SET_PDEATHSIG = 1


class Service(ABC):
    name: ClassVar[str]
    title: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.data = layout.state / self.name
        self.log = layout.logs / f"{self.name}.log"

    @property
    @abstractmethod
    def socket_path(self) -> Path: ...

    @abstractmethod
    def prepare(self, *, account: pwd.struct_passwd, programs: Programs) -> None:
        """Bring the data folder into a state from which the server starts."""

    @abstractmethod
    def command(self, *, programs: Programs) -> list[str]: ...

    def is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.settimeout(1)
            probe.connect(str(self.socket_path))
            return True
        return False

    def start(self, *, account: pwd.struct_passwd, programs: Programs) -> subprocess.Popen[bytes]:
        """Start the server as a child that ends when this process does, and return it."""
        make_open_folder(self.layout.state)
        for folder in (self.layout.sockets, self.layout.logs):
            make_private_folder(folder, account=account)
        stop_leftovers(self.data)
        self.prepare(account=account, programs=programs)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        return self.run(self.command(programs=programs), account=account)

    def run(self, command: list[str], *, account: pwd.struct_passwd) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data.parent,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                preexec_fn=end_with_parent(self.stop_signal),
                **run_as(account),
            )

    def stop(self, process: subprocess.Popen[bytes], *, seconds: float = 15) -> None:
        process.send_signal(self.stop_signal)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def failure(self, *, since: int) -> EmbeddedError:
        """Return why the server did not start, in the words of its log from byte `since` on."""
        with self.log.open("rb") as log:
            log.seek(since)
            lines = log.read().decode(errors="replace").splitlines()
        reasons = [line for line in lines if re.search(r"FATAL|PANIC|error:|No space left|[Ff]atal", line)]
        reason = re.sub(r"^.*?(FATAL|PANIC|error): +", "", reasons[-1]) if reasons else "it ended without a reason"
        return EmbeddedError(f"{self.title} did not start: {reason} (log: {self.log}).")


def end_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what a child runs before exec so that Linux stops it even when this process is killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, int(stop_signal))


def stop_leftovers(data: Path, *, seconds: float = 10) -> None:
    """Stop servers of a killed supervisor that still work on `data`; they are known by their working folder."""
    deadline = time.monotonic() + seconds
    while leftovers := _processes_in(data):
        if time.monotonic() > deadline:
            pids = ", ".join(str(process.pid) for process in leftovers)
            raise EmbeddedError(f"A server of an earlier run still uses {data}: end process {pids} and start again.")
        for process in leftovers:
            with contextlib.suppress(psutil.Error):
                # PostgreSQL's own children end with their parent and take SIGINT for "cancel the query".
                process.send_signal(signal.SIGINT)
        time.sleep(0.1)


def _processes_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.cwd() == str(folder.resolve()) and process.name().startswith(("postgres", "valkey")):
                found.append(process)
    return found
