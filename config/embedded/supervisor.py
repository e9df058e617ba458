"""Keep one service running for as long as somebody holds on to it."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import IO

from config.embedded import layout
from config.embedded.account import service_account
from config.embedded.errors import OWN_SERVICES, EmbeddedError
from config.embedded.postgres import Postgres
from config.embedded.programs import find_programs
from config.embedded.service import Service
from config.embedded.valkey import Valkey

SERVICES: dict[str, type[Service]] = {"postgres": Postgres, "valkey": Valkey}
START_SECONDS = 120.0
POLL_SECONDS = 0.25
# Long enough for one command to follow another without a restart in between.
LINGER_SECONDS = 1.5

READY, TAKEN, FAILED = "ready", "taken", "failed"


class Stopped(Exception):
    """The supervisor was asked to end."""


def supervise(name: str) -> int:
    """Start the service, report one line on standard output, and stop the service when its last holder is gone."""
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _raise_stopped)
    service = SERVICES[name](layout.current())
    locks = service.layout.locks
    with (locks / f"{name}.supervisor").open("w") as lock, (locks / f"{name}.holders").open("w") as holders:
        if not try_lock(lock):
            return _report(TAKEN)
        try:
            _keep(service, holders)
        except EmbeddedError as error:
            return _report(FAILED, str(error))
        except OSError as error:
            return _report(FAILED, explain(error))
        except Stopped:
            return 0
    return 0


def _keep(service: Service, holders: IO[str]) -> None:
    account = service_account(service.layout)
    process = service.start(account=account, programs=find_programs(service.layout))
    try:
        _wait_until_ready(service, process)
        _report(READY)
        _watch(process, holders)
    finally:
        service.stop(process)


def try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def explain(error: OSError) -> str:
    """Return an operating system's error as a sentence for the person at the terminal."""
    where = f" {error.filename}" if error.filename else ""
    return (
        f"The embedded services cannot use{where}: {error.strerror}. "
        f"Set AVIARY_STATE to a folder of yours on a local disk with room, or {OWN_SERVICES}."
    )


def _wait_until_ready(service: Service, process: subprocess.Popen[bytes]) -> None:
    since = service.log.stat().st_size
    deadline = time.monotonic() + START_SECONDS
    while not service.is_ready():
        if process.poll() is not None:
            raise service.failure(since=max(0, since - 4096))
        if time.monotonic() > deadline:
            raise EmbeddedError(f"{service.title} was not ready within {START_SECONDS:.0f} s (log: {service.log}).")
        time.sleep(0.02)


def _watch(process: subprocess.Popen[bytes], holders: IO[str]) -> None:
    free_since: float | None = None
    while process.poll() is None:
        time.sleep(POLL_SECONDS)
        if os.fstat(holders.fileno()).st_nlink == 0:
            # Somebody deleted the state folder: nobody can find this service any more.
            return
        if not try_lock(holders):
            free_since = None
            continue
        free_since = free_since or time.monotonic()
        if time.monotonic() - free_since >= LINGER_SECONDS:
            # Leaves with the lock held: a newcomer waits until the service is down and then starts its own.
            return
        fcntl.flock(holders, fcntl.LOCK_UN)


def _report(status: str, sentence: str = "") -> int:
    # Who asked may be gone by now.
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{status} {sentence}\n".encode())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(status == FAILED)


def _raise_stopped(number: int, frame: FrameType | None) -> None:
    raise Stopped
