"""Real servers, started, found, stopped and killed."""

import os
import signal
import stat
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis

from config.embedded import layout
from tests.concurrency import wait_until
from tests.config.embedded.conftest import Instance, was_held

USE_EVERY_URL = """
import kombu, psycopg, redis
from config import embedded
embedded.ensure()
psycopg.connect(embedded.postgres_url()).close()
redis.Redis.from_url(embedded.valkey_url(database=2)).ping()
kombu.Connection(embedded.broker_url(database=1)).ensure_connection(max_retries=1)
"""


def connect(instance: Instance, *, user: str = "aviary") -> psycopg.Connection:
    return psycopg.connect(host=str(instance.layout.sockets), user=user, dbname="aviary", autocommit=True)


def test_both_services_answer_and_a_second_process_finds_the_same_ones(instance: Instance) -> None:
    instance.hold()
    servers = instance.servers()
    assert servers.keys() == {"postgres", "valkey"}
    with connect(instance) as connection:
        extensions = {name for (name,) in connection.execute("SELECT extname FROM pg_extension")}
        role = connection.execute("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user").fetchone()
    assert extensions >= {"pg_trgm", "unaccent", "btree_gin", "pg_stat_statements", "vector"}
    assert role == (False, True)
    with redis.Redis(unix_socket_path=str(instance.layout.valkey_socket)) as valkey:
        assert valkey.ping()
        assert valkey.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
    instance.hold()
    assert instance.servers() == servers


def test_words_beyond_ascii_are_words(instance: Instance) -> None:
    instance.hold()
    with connect(instance) as connection:
        row = connection.execute("SELECT to_tsvector('simple', 'Привет, Мир')::text, show_trgm('Ж') <> '{}'").fetchone()
    assert row == ("'мир':2 'привет':1", True)


def test_two_starts_at_the_same_moment_share_one_server(instance: Instance) -> None:
    first, second = instance.begin(), instance.begin()
    assert was_held(first)
    assert was_held(second)
    assert instance.servers().keys() == {"postgres", "valkey"}


def test_both_stop_when_the_last_holder_is_killed(instance: Instance) -> None:
    first, second = instance.hold(), instance.hold()
    first.kill()
    first.wait()
    with connect(instance) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.kill()
    wait_until(lambda: not instance.servers())
    assert not (instance.layout.state / "postgres" / "postmaster.pid").exists()


def test_a_killed_supervisor_leaves_nothing_in_the_way_of_the_next_start(instance: Instance) -> None:
    instance.hold()
    before = instance.servers()
    for supervisor in instance.supervisors():
        supervisor.kill()
    instance.hold()
    after = instance.servers()
    assert after.keys() == {"postgres", "valkey"}
    assert not set(before.values()) & set(after.values())


def test_a_killed_server_comes_back_with_its_data_on_the_next_start(instance: Instance) -> None:
    instance.env["AVIARY_DURABLE"] = "1"
    instance.hold()
    with connect(instance) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    for pid in instance.servers().values():
        os.kill(pid, signal.SIGKILL)
    instance.hold()
    with connect(instance) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_stale_pid_file_that_names_a_living_process_is_no_obstacle(instance: Instance) -> None:
    instance.hold().kill()
    wait_until(lambda: not instance.servers())
    pid_file = instance.layout.state / "postgres" / "postmaster.pid"
    owner = pid_file.parent.stat().st_uid
    other = subprocess.Popen(["sleep", "60"], user=owner if os.geteuid() == 0 else None)
    try:
        pid_file.write_text(f"{other.pid}\n{pid_file.parent}\n1\n5432\n{instance.layout.sockets}\n\n1 1\nready\n")
        instance.hold()
        assert instance.servers().keys() == {"postgres", "valkey"}
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_start_that_was_killed_half_way_is_done_again(instance: Instance) -> None:
    half_made = instance.wanted / "postgres.new" / "base"
    half_made.mkdir(parents=True)
    (instance.wanted / "run").mkdir()
    for path in (instance.wanted, *instance.wanted.rglob("*")):
        path.chmod(0o755)
    instance.hold()
    assert stat.S_IMODE((instance.wanted / "run").stat().st_mode) == 0o700
    assert not half_made.exists()


def test_data_that_is_not_whole_is_left_alone_and_explained_in_one_sentence(instance: Instance) -> None:
    instance.wanted.mkdir(mode=0o755)
    data = instance.wanted / "postgres"
    data.mkdir()
    (data / "base").write_text("somebody's")
    done = instance.manage("migrate")
    assert done.returncode == 1
    assert done.stderr == f"{data} is not a whole PostgreSQL data folder: move it away and start again.\n"
    assert (data / "base").read_text() == "somebody's"


def test_a_place_that_cannot_be_written_is_explained_in_one_sentence() -> None:
    # Nobody can make a folder in /proc, root included.
    done = Instance(Path("/proc/aviary")).manage("migrate", XDG_STATE_HOME="/proc")
    assert done.returncode == 1
    assert ". Set AVIARY_STATE to a folder of yours" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_home_that_only_its_owner_may_enter_keeps_its_mode(folder: Path) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    instance = Instance(home / "clone" / ".aviary")
    modes = {path: path.stat().st_mode for path in (home, *home.parents)}
    try:
        instance.hold()
        assert {path: path.stat().st_mode for path in modes} == modes
        sockets = instance.layout.sockets
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        with connect(instance) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        instance.close()


def test_a_path_longer_than_a_socket_name_may_be_still_works(folder: Path) -> None:
    instance = Instance(folder / ("deep" * 30) / "state")
    try:
        instance.hold()
        assert len(os.fsencode(instance.layout.valkey_socket)) <= layout.SOCKET_PATH_BYTES
    finally:
        instance.close()


def test_a_path_with_odd_characters_works_through_every_url(folder: Path) -> None:
    instance = Instance(folder / "Ünder the #1 roof?" / "state")
    try:
        done = instance.manage("migrate", "agents", "--plan")
        assert done.returncode == 0, done.stderr
        instance.run(USE_EVERY_URL)
        assert quote(str(instance.wanted)) != str(instance.wanted)
    finally:
        instance.close()


@pytest.mark.parametrize("command", [("version",), ("help",), ("migrate", "--help"), ("makemigrations", "--help")])
def test_commands_that_need_no_service_start_none(instance: Instance, command: tuple[str, ...]) -> None:
    assert instance.manage(*command).returncode == 0
    assert not instance.wanted.exists()


def test_nothing_starts_when_every_service_is_given(instance: Instance) -> None:
    given = {"DATABASE_URL": "postgres:///x", "CACHE_URL": "redis://", "BROKER_URL": "redis:///1"}
    instance.run("from config import embedded; embedded.ensure()", **given)
    assert not instance.wanted.exists()
