"""The demo ends with one sentence, whatever happens, and takes its children along."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import psycopg
import pytest
from django.core.management.base import CommandError
from django.db.utils import OperationalError

from config import embedded
from config.children import HOST, STOP_SIGNALS, Children, ChildrenError
from config.embedded.layout import CLONE
from config.management.commands.demo import check_port, explain
from tests.concurrency import wait_until

SLEEP = "import time; time.sleep(60)"
SPAWN = f"print(subprocess.Popen([sys.executable, '-c', '{SLEEP}']).pid, flush=True)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_taken_port_is_said_before_anything_starts(taken_port: int) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.dev"}
    command = [sys.executable, "manage.py", "demo", "--port", str(taken_port)]
    done = subprocess.run(command, cwd=CLONE, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"CommandError: Port {taken_port} cannot be used (Address already in use)")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(CommandError, match="is not a port"):
        check_port(port)


def test_all_children_stop_when_one_ends() -> None:
    with pytest.raises(ChildrenError, match="The short process ended with status 3"), Children() as children:
        children.start("long", "-c", SLEEP)
        children.start("short", "-c", "raise SystemExit(3)")
        long = children.running["long"]
        children.watch()
    assert long.returncode == -signal.SIGTERM


def test_the_orphans_of_a_killed_child_end_too() -> None:
    with Children() as children:
        children.start("parent", "-c", f"import subprocess, sys, time; {SPAWN}; {SLEEP}")
        log = children.logs / "parent.log"
        while not log.read_text().endswith("\n"):
            time.sleep(0.02)
        children.running["parent"].kill()
    wait_until(lambda: is_dead(int(log.read_text())))


def is_dead(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_child_that_ignores_the_request_to_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.children.STOP_SECONDS", 0.5)
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with Children() as children:
        children.start("stubborn", "-c", STUBBORN)
        while "deaf" not in (children.logs / "stubborn.log").read_text():
            time.sleep(0.02)
    assert children.running["stubborn"].returncode == -signal.SIGKILL
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


def test_a_stopped_service_ends_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "stopped_services", lambda: ["PostgreSQL"])
    with pytest.raises(ChildrenError, match=r"^PostgreSQL stopped \(see "), Children() as children:
        children.watch()
    assert explain(OperationalError("gone")).startswith("PostgreSQL stopped while the demo ran")


def test_a_full_disk_is_told_in_one_sentence() -> None:
    error = psycopg.errors.DiskFull('could not extend file "base/1": No space left on device\nHINT:  Check free disk.')
    assert explain(error) == 'The demo cannot go on: could not extend file "base/1": No space left on device.'
