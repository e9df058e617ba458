"""No code opens a connection of its own: one pool, or one persistent connection per thread, serves them all."""

import ast
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from environs import Env

from config.settings.databases import MAX_WAIT_SECONDS, database, replica

APPS = ("agents", "config", "feed", "performance", "posts")
# It speaks to the server before there is a database.
EXEMPT = {"config/embedded.py"}
OPENERS = {
    "psycopg.connect",
    "psycopg.Connection.connect",
    "psycopg.AsyncConnection.connect",
    "psycopg_pool.ConnectionPool",
    "psycopg_pool.AsyncConnectionPool",
    "psycopg2.connect",
    "asyncpg.connect",
    "asyncpg.create_pool",
    "sqlalchemy.create_engine",
    "django.db.utils.ConnectionHandler",
}


def sources() -> list[Path]:
    root = Path(settings.BASE_DIR)
    return [path for app in APPS for path in sorted((root / app).rglob("*.py"))]


def openers_in(source: str) -> set[str]:
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {
                alias.asname or alias.name.partition(".")[0]: alias.asname
                and alias.name
                or alias.name.partition(".")[0]
                for alias in node.names
            }
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, _, rest = ast.unparse(node).partition(".")
            used.add(f"{names.get(first, first)}.{rest}" if rest else names.get(first, first))
    return used & OPENERS


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_module_opens_a_connection_of_its_own(path: Path) -> None:
    if str(path.relative_to(settings.BASE_DIR)) not in EXEMPT:
        assert openers_in(path.read_text()) == set()


@pytest.mark.parametrize(
    "source",
    [
        "import psycopg\npsycopg.connect('')",
        "import psycopg as p\np.connect('')",
        "from psycopg import connect as c\nc('')",
        "from psycopg_pool import ConnectionPool\npool = ConnectionPool('')",
    ],
)
def test_the_rule_would_notice(source: str) -> None:
    assert openers_in(source)


def configured(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, object]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return database(Env(), variable="DATABASE_URL", default=dict)


def test_connections_persist_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    found = configured(monkeypatch, DATABASE_URL="postgres://localhost/aviary?sslmode=require")
    assert found["CONN_MAX_AGE"] == 600
    assert found["OPTIONS"]["sslmode"] == "require"  # type: ignore[index]
    assert "statement_timeout=30s" in found["OPTIONS"]["options"]  # type: ignore[index]
    assert "pool" not in found["OPTIONS"]  # type: ignore[operator]


def test_a_pool_size_switches_to_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    found = configured(
        monkeypatch,
        DATABASE_URL="postgres://localhost/aviary",
        DB_POOL_SIZE="10",
        DB_MAX_OVERFLOW="15",
        DB_POOL_RECYCLE="180",
        DB_POOL_TIMEOUT="30",
        DB_POOL_PRE_PING="false",
    )
    pool = found["OPTIONS"]["pool"]  # type: ignore[index]
    assert (pool["min_size"], pool["max_size"], pool["max_lifetime"]) == (10, 25, 180)
    assert pool["timeout"] == MAX_WAIT_SECONDS
    assert (found["CONN_MAX_AGE"], found["CONN_HEALTH_CHECKS"]) == (0, False)


def test_pgbouncer_gets_no_startup_options(monkeypatch: pytest.MonkeyPatch) -> None:
    found = configured(monkeypatch, DATABASE_URL="postgres://localhost/aviary", DB_STARTUP_OPTIONS="false")
    assert "options" not in found["OPTIONS"]  # type: ignore[operator]


def test_nobody_waits_long_for_a_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLICA_URL", "postgres://localhost/aviary")
    monkeypatch.setenv("DB_POOL_SIZE", "4")
    found = replica(Env(), variable="REPLICA_URL")
    assert (found["OPTIONS"]["connect_timeout"], found["OPTIONS"]["pool"]["timeout"]) == (2, 1)


SHOW_ROUTING = "from config.settings import test; print(sorted(test.DATABASES), test.DATABASE_ROUTERS)"


def test_a_replica_url_switches_routing_on() -> None:
    environment = {**os.environ, "REPLICA_URL": "postgres://localhost/aviary"}
    shown = subprocess.run([sys.executable, "-c", SHOW_ROUTING], env=environment, capture_output=True, text=True)
    assert shown.stdout.strip() == "['default', 'replica'] ['performance.replica.router.ReplicaRouter']", shown.stderr


EXHAUST = """
import django, threading
django.setup()
from django.db import connection, connections
from django.test import Client
from django.conf import settings
settings.ALLOWED_HOSTS = ["*"]
held, release = threading.Event(), threading.Event()
def hold():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    held.set()
    release.wait(20)
    connection.close()
thread = threading.Thread(target=hold)
thread.start()
held.wait(10)
answer = Client().get("/api/communities")
print(answer.status_code, answer.get("Retry-After"))
release.set()
thread.join()
print(Client().get("/api/communities").status_code)
connections["default"].close_pool()
"""


@pytest.mark.django_db(transaction=True)
def test_an_exhausted_pool_is_a_quick_503_and_recovers() -> None:
    from django.db import connection

    name = connection.settings_dict["NAME"]
    url = os.environ.get("DATABASE_URL", "")
    host = connection.settings_dict["HOST"].replace("/", "%2F")
    user = connection.settings_dict["USER"]
    environment = {
        **os.environ,
        "DATABASE_URL": url.rpartition("/")[0] + f"/{name}" if url else f"postgres://{user}@{host}/{name}",
        "DB_POOL_SIZE": "1",
        "DB_MAX_OVERFLOW": "0",
        "DB_POOL_TIMEOUT": "0.5",
    }
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", EXHAUST], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["503", "2", "200"], done.stderr
    assert time.monotonic() - started < 30
