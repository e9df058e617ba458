"""PostgreSQL 18 on a Unix socket, for the owner of the clone only."""

import contextlib
import locale
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from config.embedded.account import make_private_folder, run_as
from config.embedded.errors import EmbeddedError
from config.embedded.programs import Programs
from config.embedded.service import Service, end_with_parent

MAJOR_VERSION = "18"
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_preload_libraries": "pg_stat_statements",
    "max_connections": "200",
    # A laptop with two cores and an SSD.
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    # Compiling a plan takes longer than any query of a feed.
    "jit": "off",
    "track_io_timing": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# What is in template1 is in every database made from it, the test workers' included.
TEMPLATE_SQL = """\
CREATE EXTENSION pg_trgm
CREATE EXTENSION unaccent
CREATE EXTENSION btree_gin
CREATE EXTENSION pg_stat_statements
CREATE EXTENSION vector
CREATE ROLE aviary LOGIN CREATEDB
GRANT pg_monitor, pg_signal_backend TO aviary
GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO aviary
CREATE DATABASE aviary OWNER aviary
"""


class Postgres(Service):
    name = "postgres"
    title = "PostgreSQL"
    # A fast shutdown: open transactions are rolled back, nothing waits for idle clients.
    stop_signal = signal.SIGINT

    @property
    def socket_path(self) -> Path:
        return self.layout.sockets / ".s.PGSQL.5432"

    def is_ready(self) -> bool:
        # The socket answers during recovery too; the last line of this file says whether that is over.
        with contextlib.suppress(OSError):
            # For a moment after its creation the file is empty.
            return (self.data / "postmaster.pid").read_text().split()[-1:] == ["ready"] and super().is_ready()
        return False

    def prepare(self, *, account: pwd.struct_passwd, programs: Programs) -> None:
        if not self.data.exists() or not any(self.data.iterdir()):
            self._create(account=account, programs=programs)
        make_private_folder(self.data, account=account)
        self._check_version()
        self._write_access_rules(account=account)
        # Nobody works in this folder any more (see stop_leftovers), so its process id may be another program's by now.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def command(self, *, programs: Programs) -> list[str]:
        settings = {"unix_socket_directories": str(self.layout.sockets), **SETTINGS, **_instance_settings()}
        options = (word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
        return [str(programs.postgres), "-D", str(self.data), *options]

    def _create(self, *, account: pwd.struct_passwd, programs: Programs) -> None:
        # The folder gets its name when it is whole: a start killed half-way is simply done again.
        staging = self.data.with_name("postgres.new")
        shutil.rmtree(staging, ignore_errors=True)
        make_private_folder(staging, account=account)
        since = self.log.stat().st_size if self.log.exists() else 0
        initdb = [str(programs.initdb), "-D", str(staging), "-U", "postgres", "--auth=peer", "--encoding=UTF8"]
        locales = [
            "--locale=C",
            f"--lc-ctype={_utf8_locale()}",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        single = [str(programs.postgres), "--single", "-D", str(staging), "-c", "exit_on_error=true", "template1"]
        if not _durable():
            initdb.append("--no-sync")
        for command, sql in (([*initdb, *locales], ""), (single, TEMPLATE_SQL)):
            with self.log.open("ab") as log:
                done = subprocess.run(
                    command,
                    input=sql.encode(),
                    stdout=log,
                    stderr=log,
                    cwd=staging,
                    check=False,
                    preexec_fn=end_with_parent(signal.SIGKILL),
                    **run_as(account),
                )
            if done.returncode:
                failure = self.failure(since=since)
                shutil.rmtree(staging, ignore_errors=True)
                raise failure
        staging.rename(self.data)

    def _check_version(self) -> None:
        version = self.data / "PG_VERSION"
        if not version.exists() or not (self.data / "global" / "pg_control").exists():
            raise EmbeddedError(f"{self.data} is not a whole PostgreSQL data folder: move it away and start again.")
        if (found := version.read_text().strip()) != MAJOR_VERSION:
            raise EmbeddedError(f"{self.data} belongs to PostgreSQL {found}, not {MAJOR_VERSION}: move it away.")

    def _write_access_rules(self, *, account: pwd.struct_passwd) -> None:
        users = {account.pw_name, pwd.getpwuid(os.geteuid()).pw_name}
        rules = "".join(f'aviary "{user}" {role}\n' for user in sorted(users) for role in ("aviary", "postgres"))
        for name, text in (("pg_hba.conf", "local all all peer map=aviary\n"), ("pg_ident.conf", rules)):
            path = self.data / name
            path.write_text(text)
            os.chown(path, account.pw_uid, account.pw_gid)


def _instance_settings() -> dict[str, str]:
    settings: dict[str, str] = {}
    if not _durable():
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    # Containers often give /dev/shm 64 MB, too little for a parallel index build.
    shared_memory = Path("/dev/shm")
    if shared_memory.exists() and os.statvfs(shared_memory).f_blocks * os.statvfs(shared_memory).f_frsize < 512 << 20:
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def _durable() -> bool:
    return os.environ.get("AVIARY_DURABLE") != "0"


def _utf8_locale() -> str:
    # With LC_CTYPE=C the full-text parser and pg_trgm would see no letters beyond ASCII.
    before = locale.setlocale(locale.LC_CTYPE)
    for name in ("C.UTF-8", "en_US.UTF-8", "UTF-8"):
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_CTYPE, name)
            locale.setlocale(locale.LC_CTYPE, before)
            return name
    return "C"
