"""A house of a test's own: its servers, which can be taken away, and a real Celery worker that lives on them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import redis

from config.embedded import layout
from tests.concurrency import wait_until
from tests.config.embedded.conftest import Instance
from tests.performance.own_postgres import write_tables

# What is said of other servers, and that those of tests need not keep what they wrote: these must.
REPLACED = ("DATABASE_URL", "CACHE_URL", "BROKER_URL", "REPLICA_URL", "AVIARY_DURABLE")
CREATE = """
import secrets
import django; django.setup()
from posts.generation.poking import send
from posts.generation.services.runs import create_run
from tests.factories import make_agent, make_person
owner = make_person("owner" + secrets.token_hex(6))
for _ in range({count}):
    agent = make_agent(owner=owner, handle="writer" + secrets.token_hex(6))
    assert send(create_run(agent=agent, topic="Herons").pk)
"""
WORK = """
import django; django.setup()
from config.celery import app
if {seconds}:
    app.conf.beat_schedule = {{"resume-runs": {{"task": "posts.generation.tasks.resume_runs", "schedule": {seconds}}}}}
app.worker_main(["worker", "-B", "-Q", "generation", "-P", "threads", "-c", "2",
                 "-l", "error", "--without-gossip", "--without-mingle"])
"""


class Household:
    def __init__(self, folder: Path) -> None:
        self.folder, self.script = folder, folder / "script"
        self.script.mkdir()
        self.instance = Instance(folder / "state")
        kept = {name: value for name, value in self.instance.env.items() if name not in REPLACED}
        self.instance.env = kept | {
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "TEXT_PROVIDER": "tests.posts.generation.scripted.ScriptedText",
            "IMAGE_PROVIDER": "tests.posts.generation.scripted.ScriptedImage",
            "SCRIPT_FOLDER": str(self.script),
            "MEDIA_ROOT": str(folder / "media"),
        }
        self.workers: list[subprocess.Popen[bytes]] = []

    def open(self) -> None:
        self.instance.hold()
        write_tables(self.instance.layout.sockets, user="aviary")

    def create_runs(self, count: int) -> None:
        """Create runs and poke the broker for each of them."""
        self.instance.run(CREATE.format(count=count))

    def work(self, *, seconds: float) -> None:
        """Start a worker with its beat; `seconds` between two looks for runs that nobody carries, 0 for the house's."""
        code = WORK.format(seconds=seconds)
        with (self.folder / "worker.log").open("wb") as log:
            self.workers.append(
                subprocess.Popen(
                    [sys.executable, "-c", code],
                    cwd=layout.CLONE,
                    env=self.instance.env,
                    stdout=log,
                    stderr=log,
                    # A group of its own: the beat is the worker's child.
                    start_new_session=True,
                )
            )

    def flush(self) -> None:
        """Empty Valkey: the broker's messages, its bindings and every cache."""
        with redis.Redis(unix_socket_path=str(self.instance.layout.valkey_socket)) as valkey:
            valkey.flushall()

    def crash_postgres(self) -> None:
        """End PostgreSQL at once, as a lost machine does; it recovers from its log when it is started again."""
        os.kill(self.instance.servers()["postgres"], signal.SIGQUIT)
        wait_until(lambda: "postgres" not in self.instance.servers())

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        parameters = {"host": str(self.instance.layout.sockets), "user": "aviary", "dbname": "aviary"}
        with psycopg.connect(**parameters) as connection:
            return connection.execute(sql).fetchall()

    def asked(self) -> list[str]:
        """Return "RUN STEP" for each call that was made, in order."""
        log = self.script / "calls.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [" ".join(line.split()[1:3]) for line in lines if line.startswith("asked")]

    def seconds_until_done(self) -> float:
        """Wait until every run has its post; return the seconds that it took."""
        started = time.monotonic()
        open_runs = "SELECT count(*) FROM generation_run WHERE state <> 'done'"
        wait_until(lambda: self.ask(open_runs) == [(0,)], seconds=240)
        return time.monotonic() - started

    def rest(self) -> None:
        """End the workers."""
        while self.workers:
            worker = self.workers.pop()
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()

    def close(self) -> None:
        self.rest()
        self.instance.close()
