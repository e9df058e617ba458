"""Hold on to the services, starting those that are not running."""

import fcntl
import os
import subprocess
import sys
import time

from config.embedded import layout
from config.embedded.account import make_open_folder
from config.embedded.errors import EmbeddedError
from config.embedded.supervisor import FAILED, SERVICES, START_SECONDS, explain, try_lock

# The open files hold the locks until the process ends; the children are kept so that nobody reaps or warns about them.
_held: dict[str, int] = {}
_supervisors: list[subprocess.Popen[str]] = []


def hold(*names: str) -> None:
    """Start or find the named services; they run at least as long as this process does.

    Raises EmbeddedError with one sentence for the person at the terminal.
    """
    try:
        locks = layout.current().locks
        make_open_folder(locks)
        for name in set(names) - _held.keys():
            file = os.open(locks / f"{name}.holders", os.O_RDWR | os.O_CREAT, 0o666)
            # Waits while a supervisor that found nobody here shuts its service down.
            fcntl.flock(file, fcntl.LOCK_SH)
            _held[name] = file
        _start_missing(names)
    except OSError as error:
        raise EmbeddedError(explain(error)) from error


def is_running(name: str) -> bool:
    """Tell whether a supervisor keeps the service and the service accepts connections."""
    return _is_supervised(name) and SERVICES[name](layout.current()).is_ready()


def _start_missing(names: tuple[str, ...]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while missing := [name for name in names if not is_running(name)]:
        if time.monotonic() > deadline:
            titles = " and ".join(SERVICES[name].title for name in missing)
            raise EmbeddedError(f"{titles} did not answer within {START_SECONDS:.0f} s (see {layout.current().logs}).")
        # Both are spawned before either is waited for.
        for name, supervisor in [(name, _spawn(name)) for name in missing if not _is_supervised(name)]:
            _read_report(name, supervisor)
        time.sleep(0.02)


def _is_supervised(name: str) -> bool:
    with (layout.current().locks / f"{name}.supervisor").open("w") as lock:
        return not try_lock(lock)


def _spawn(name: str) -> subprocess.Popen[str]:
    with (layout.current().locks / f"{name}.errors").open("a") as errors:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "config.embedded", name],
            cwd=layout.CLONE,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            # Ctrl-C at the terminal is for us; the supervisor ends when we have let go.
            start_new_session=True,
            text=True,
        )
    _supervisors.append(supervisor)
    return supervisor


def _read_report(name: str, supervisor: subprocess.Popen[str]) -> None:
    assert supervisor.stdout is not None
    with supervisor.stdout as report:
        status, _, sentence = report.readline().strip().partition(" ")
    if status == FAILED:
        raise EmbeddedError(sentence)
    if not status:
        errors = layout.current().locks / f"{name}.errors"
        raise EmbeddedError(f"The supervisor of {SERVICES[name].title} ended without a word (see {errors}).")
