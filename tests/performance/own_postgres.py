"""PostgreSQL servers of a test's own: one as it likes, or a primary with Aviary's tables and a streaming replica."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
from django.db import connection

from config.embedded import layout
from config.embedded.account import run_as, service_account
from config.embedded.programs import find_programs
from config.embedded.service import end_with_parent
from tests.concurrency import wait_until

OPTIONS = {
    "listen_addresses": "", "fsync": "off", "shared_buffers": "32MB", "max_connections": "60",
    "dynamic_shared_memory_type": "mmap", "max_standby_streaming_delay": "1s", "checkpoint_timeout": "1h",
}  # fmt: skip

INITDB = [
    "--auth=trust",
    "--no-sync",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
]


class Server:
    def __init__(self, folder: Path, name: str, **options: str) -> None:
        self.data = folder / name
        self.sockets = folder / f"{name}.run"
        self.account = service_account(layout.current())
        self.bin = find_programs(layout.current()).postgres.parent
        self.options = {**OPTIONS, **options, "unix_socket_directories": str(self.sockets)}
        for path in (self.data, self.sockets):
            path.mkdir(mode=0o700)
            os.chown(path, self.account.pw_uid, self.account.pw_gid)
        self.process: psutil.Popen | None = None

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self.bin / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.sockets, **run_as(self.account))

    def start(self) -> None:
        options = (f"{name}={value}" for name, value in self.options.items())
        command = [str(self.bin / "postgres"), "-D", str(self.data), *(word for o in options for word in ("-c", o))]
        options_of_process: dict[str, Any] = {
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
            "cwd": self.sockets,
        }
        options_of_process["preexec_fn"] = end_with_parent(signal.SIGQUIT)
        self.process = psutil.Popen(command, **options_of_process, **run_as(self.account))
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            self.ask("SELECT 1", database="postgres")
        except psycopg.OperationalError:
            return False
        return True

    def ask(self, sql: str, *, database: str = "aviary") -> Any:
        with psycopg.connect(host=str(self.sockets), user="postgres", dbname=database, autocommit=True) as raw:
            cursor = raw.execute(sql)
            return cursor.fetchone() if cursor.description else None

    def _all(self) -> list[psutil.Process]:
        assert self.process
        return [self.process, *self.process.children(recursive=True)]

    def freeze(self) -> None:
        for process in self._all():
            process.suspend()

    def thaw(self) -> None:
        for process in self._all():
            process.resume()

    def stop(self) -> None:
        """End at once, as a crash would, so that nobody is said goodbye to."""
        if self.process and self.process.is_running():
            self.thaw()
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(10)
        self.process = None

    @property
    def address(self) -> dict[str, Any]:
        return {"HOST": str(self.sockets), "PORT": "", "USER": "postgres", "PASSWORD": "", "NAME": "aviary"}


@contextmanager
def folder_of_servers() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="aviary-servers-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def own_server(**options: str) -> Iterator[Server]:
    """Start a server with an empty database, for what the tests' own server may not have."""
    with folder_of_servers() as folder:
        server = Server(folder, "server", **options)
        server.run("initdb", "-D", str(server.data), "-U", "postgres", *INITDB)
        try:
            server.start()
            server.ask("CREATE DATABASE aviary", database="postgres")
            yield server
        finally:
            server.stop()


@contextmanager
def primary_and_replica() -> Iterator[tuple[Server, Server]]:
    with own_server() as primary, folder_of_servers() as folder:
        copy_tables(primary)
        replica = Server(folder, "replica")
        source = ["-h", str(primary.sockets), "-U", "postgres", "--checkpoint=fast", "--no-sync"]
        try:
            replica.run("pg_basebackup", *source, "-D", str(replica.data), "-R")
            replica.start()
            yield primary, replica
        finally:
            replica.stop()


def copy_tables(to: Server) -> None:
    """Give a server the empty tables of the test database."""
    # A dump leaves out extensions that were made before the server had its first user, as the embedded one's are.
    with connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension")
        for (name,) in cursor.fetchall():
            to.ask(f"CREATE EXTENSION IF NOT EXISTS {name} CASCADE")
    write_tables(to.sockets, user="postgres")


def write_tables(sockets: Path, *, user: str) -> None:
    """Write the test database's tables, empty, into the database of a server: migrating takes ten times as long."""
    programs = find_programs(layout.current()).postgres.parent
    given = connection.settings_dict
    places = {"-h": given["HOST"], "-p": str(given["PORT"] or ""), "-U": given["USER"]}
    where = [word for option, value in places.items() if value for word in (option, value)]
    dump = [programs / "pg_dump", "--schema-only", "--no-owner", "--no-privileges", "--no-comments", *where]
    environment = {**os.environ, "PGPASSWORD": given["PASSWORD"] or ""}
    tables = subprocess.run([*dump, given["NAME"]], check=True, capture_output=True, env=environment).stdout
    load = [programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", sockets, "-U", user, "aviary"]
    subprocess.run(load, input=tables, check=True, capture_output=True)
