"""The broker is flushed and the database restarted while posts leave a whole house: nothing twice, nothing lost.

The house is real: a PostgreSQL and a Valkey of its own, Celery with its beat, a network that answers in 50 ms.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from config.embedded import layout
from tests.concurrency import wait_until
from tests.config.embedded.conftest import Instance
from tests.faults.conftest import Measure
from tests.networks.server import NetworkServer
from tests.networks.speakers import MastodonSpeaker
from tests.performance.own_postgres import write_tables

POSTS = 40
FULL_ROUNDS = 10
SETTLED_SECONDS = 60

SCHEDULE = """
import sys, django
django.setup()
from datetime import timedelta
from django.utils import timezone
from agents.services.people import create_person
from tests.publishing import make_account, make_publication
owner = create_person(username=sys.argv[2], password=None)
account = make_account(owner=owner, base_url=sys.argv[1], platform_user_id=f"7@{sys.argv[2]}")
for number in range(int(sys.argv[3])):
    later = timezone.now() + timedelta(days=1) if number % 2 else None
    make_publication(account=account, text=f"Bird {sys.argv[2]}.{number}", scheduled_at=later)
"""

# What was to go out tomorrow is due: after the disturbance there has to be somebody who hears of it.
A_DAY = "UPDATE publishing_publication SET due_at = now() WHERE status = 'scheduled'"

# What passes for the rows that nobody works on; a worker that holds its row locked just now is alive.
HALF_A_MINUTE = """
UPDATE publishing_publication SET lease_until = now(), due_at = now() WHERE id IN (
    SELECT id FROM publishing_publication WHERE lease_until IS NOT NULL FOR UPDATE SKIP LOCKED)
"""

# One house for all of them, however many workers there are. The tables come from the test database, which is made
# for tests that say they need it.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("house")]


class House:
    """A whole house and the network that it publishes to."""

    def __init__(self, folder: Path, network: NetworkServer) -> None:
        self.instance = Instance(folder / "state")
        self.network = network
        for name in ("DATABASE_URL", "CACHE_URL", "BROKER_URL", "REPLICA_URL"):
            self.instance.env.pop(name, None)
        self.instance.env |= {"DJANGO_SETTINGS_MODULE": "config.settings.dev", "FETCH_ALLOWED_NETWORKS": "127.0.0.0/8"}
        self.speaker = MastodonSpeaker()
        network.speakers.append(self.speaker)  # type: ignore[arg-type]
        network.delay_seconds = 0.05
        self.instance.hold()
        write_tables(self.instance.layout.sockets, user="aviary")
        self.celery = self.start_celery(folder)

    def start_celery(self, folder: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--beat", "--concurrency=2"]
        quiet = ["--without-gossip", "--without-mingle", "--loglevel=CRITICAL", f"--schedule={folder / 'beat'}"]
        return subprocess.Popen(
            [*command, *quiet], cwd=layout.CLONE, env=self.instance.env, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def close(self) -> None:
        os.killpg(self.celery.pid, signal.SIGKILL)
        self.celery.wait()
        self.instance.close()

    def schedule(self, name: str) -> set[str]:
        """Put posts into the outbox, half of them due at once and half tomorrow; return their texts."""
        command = [sys.executable, "-c", SCHEDULE, self.network.url, name, str(POSTS)]
        subprocess.run(command, cwd=layout.CLONE, env=self.instance.env, check=True)
        return {f"Bird {name}.{number}" for number in range(POSTS)}

    def ask(self, statement: str) -> list[Any]:
        with psycopg.connect(
            host=str(self.instance.layout.sockets), user="aviary", dbname="aviary", autocommit=True
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def states(self) -> dict[str, int]:
        return dict(self.ask("SELECT status, count(*) FROM publishing_publication GROUP BY status"))

    def sent(self, texts: set[str]) -> int:
        return sum(text in texts for text in self.speaker.texts())


def flush_the_broker(house: House) -> None:
    with redis.Redis(unix_socket_path=str(house.instance.layout.valkey_socket)) as valkey:
        valkey.flushall()


def restart_the_database(house: House) -> None:
    # At once, as an operating system does that shuts down: open transactions are lost.
    os.kill(house.instance.servers()["postgres"], signal.SIGQUIT)
    wait_until(lambda: "postgres" not in house.instance.servers())
    house.instance.hold()


DISTURBANCES: dict[str, Callable[[House], None]] = {
    "broker-flushed": flush_the_broker,
    "database-restarted": restart_the_database,
}


@pytest.fixture(scope="module")
def house(django_db_setup: None) -> Iterator[House]:
    # The test process lets the server's address through; other users may walk through the folder.
    folder = Path(tempfile.mkdtemp(prefix="aviary-"))
    folder.chmod(0o755)
    with NetworkServer() as network:
        house = House(folder, network)
        yield house
        house.close()
    shutil.rmtree(folder, ignore_errors=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each disturbance once in the ordinary suite, ten times with --full."""
    rounds = FULL_ROUNDS if metafunc.config.getoption("--full", default=False) else 1
    cases = [(name, number) for number in range(rounds) for name in DISTURBANCES]
    metafunc.parametrize(("disturbance", "number"), cases)


def test_a_disturbed_house_doubles_nothing_and_loses_nothing(
    house: House, disturbance: str, number: int, is_full: bool, measure: Measure
) -> None:
    texts = house.schedule(f"{disturbance}-{number}")
    wait_until(lambda: house.sent(texts) >= POSTS // 8, seconds=SETTLED_SECONDS)
    DISTURBANCES[disturbance](house)
    started = time.monotonic()
    house.ask(A_DAY)
    if not is_full:
        house.ask(HALF_A_MINUTE)
    wait_until(lambda: house.states().keys() == {"published"}, seconds=SETTLED_SECONDS)
    settled = round(time.monotonic() - started, 1)
    measure(f"{disturbance}: every publication out after", settled, goal=SETTLED_SECONDS, unit="s")
    seen = Counter(text for text in house.speaker.texts() if text in texts)
    assert seen == dict.fromkeys(texts, 1)
