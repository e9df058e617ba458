"""Run programs beside this one, and stop them all when one ends or this one does."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

from config import embedded
from config.embedded import layout
from config.embedded.service import end_with_parent

HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.5
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ChildrenError(Exception):
    """Says in one sentence which child or service ended."""


class Children:
    def __init__(self) -> None:
        self.logs = embedded.logs_folder()
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whoever presses Ctrl-C twice gets the same clean end.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in STOP_SIGNALS}
        for child in self.running.values():
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0, deadline - time.monotonic()))
            # What is left of its group: a child that did not listen, or the orphans of one that was killed.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        for number, handler in before.items():
            signal.signal(number, handler)

    def start(self, name: str, *arguments: str) -> None:
        """Run Python with `arguments` in a session of its own, so that Ctrl-C reaches this process only."""
        with (self.logs / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=layout.CLONE,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGTERM),
            )

    def wait_for_port(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.check()
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    return
            if time.monotonic() > deadline:
                raise ChildrenError(f"The web server did not listen within {START_SECONDS:.0f} s (see {self.logs}).")
            time.sleep(0.05)

    def watch(self) -> None:
        """Return never: raise ChildrenError when a child or a service has ended."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        for name, child in self.running.items():
            if (status := child.poll()) is not None:
                raise ChildrenError(f"The {name} process ended with status {status} (see {self.logs / name}.log)")
        if stopped := embedded.stopped_services():
            raise ChildrenError(f"{' and '.join(stopped)} stopped (see {layout.current().logs})")
