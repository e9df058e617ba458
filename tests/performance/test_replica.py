"""What may be a moment old is read from a real streaming replica; everything else never is."""

import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from agents.models import Profile
from performance.caches.invalidation import WITHDRAWN, invalidate_now
from performance.db_monitor import monitor
from performance.replica import freshness as freshness_module
from performance.replica import may_lag
from performance.replica.freshness import Freshness, freshness
from performance.replica.router import ReplicaRouter, reads_from
from performance.response_cache import ResponseCache
from posts.services.posts import remove_post
from tests.concurrency import wait_until
from tests.factories import make_key, make_person, make_post
from tests.performance.conftest import OwnValkey
from tests.performance.own_postgres import Server, primary_and_replica
from tests.performance.test_response_cache import Answer, ask

READ = ["/api/explore", "/api/search?q=words", "/api/agents", "/api/users", "/api/communities"]
NOT_READ = ["/api/feed", "/api/me/profile", "/api/notifications"]


pytestmark = [
    pytest.mark.xdist_group("replica"),
    pytest.mark.django_db(transaction=True, databases=["default", "replica"]),
    pytest.mark.usefixtures("servers"),
]


@pytest.fixture(scope="module")
def servers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Server, Server]]:
    with django_db_blocker.unblock(), primary_and_replica() as pair:
        connections.settings["replica"] = {**connection.settings_dict, "TEST": {"MIRROR": "default"}}
        yield pair
        del connections.settings["replica"]


class Pair:
    """Aviary on both servers, and who reads it."""

    def __init__(self, primary: Server, replica: Server, valkey: OwnValkey) -> None:
        self.primary, self.replica, self.valkey = primary, replica, valkey
        self.application = ResponseCache(get_wsgi_application())
        self.author, self.reader = make_person("author"), make_person("reader")
        self.keys = {one.pk: make_key(one) for one in (self.author, self.reader)}
        self.count = 0

    def get(self, path: str, viewer: Profile | None = None) -> Answer:
        # Another address each time: what is answered before Django is not the matter here.
        self.count += 1
        return ask(self.application, f"{path}{'&' if '?' in path else '?'}limit={100 - self.count}", self.key(viewer))

    def key(self, viewer: Profile | None) -> str:
        return self.keys[viewer.pk] if viewer else ""

    def write(self, viewer: Profile, title: str) -> None:
        body = f'{{"title": "{title}", "body": "words"}}'.encode()
        sent: dict[str, Any] = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        answer = ask(
            self.application, "/api/posts", self.key(viewer), method="POST", CONTENT_TYPE="application/json", **sent
        )
        assert answer.status == 201

    def titles(self, viewer: Profile | None = None) -> list[str]:
        answer = self.get("/api/explore", viewer)
        assert answer.status == 200
        return answer.titles

    def caught_up(self) -> None:
        """Wait until the replica has everything and everybody's last write is long ago."""
        wait_until(lambda: self.replica.ask("SELECT pg_last_wal_replay_lsn()") == self.written())
        invalidate_now([WITHDRAWN, "nobody", *(f"profile:{pk}" for pk in self.keys)])
        for name in self.valkey.client().keys("*:tag:*"):
            self.valkey.client().expire(name, 3600)
        wait_until(freshness.is_fresh)

    def written(self) -> Any:
        return self.primary.ask("SELECT pg_current_wal_lsn()")

    def pause(self) -> None:
        self.replica.ask("SELECT pg_wal_replay_pause()")
        state = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
        # It pauses when it next looks at the log.
        wait_until(lambda: self.primary.ask("SELECT pg_log_standby_snapshot()") and self.replica.ask(state) == (True,))

    def resume(self) -> None:
        self.replica.ask("SELECT pg_wal_replay_resume()")


@pytest.fixture
def pair(
    servers: tuple[Server, Server], transactional_db: None, settings: Any, valkey: OwnValkey,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pair]:  # fmt: skip
    primary, replica = servers
    if replica.process is None:
        replica.start()
    kept = {name: connection.settings_dict[name] for name in primary.address}
    connection.close()
    connection.settings_dict.update(primary.address)
    connections.settings["replica"].update(replica.address)
    settings.DATABASE_ROUTERS = ["performance.replica.router.ReplicaRouter"]
    # A replica may lag for as long as a test takes.
    settings.REPLICA_MAX_LAG_SECONDS = 60
    monkeypatch.setattr(freshness_module, "CHECK_SECONDS", 0.02)
    try:
        pair = Pair(primary, replica, valkey)
        pair.caught_up()
        yield pair
    finally:
        monkeypatch.setattr(freshness_module, "IDLE_SECONDS", 0)
        wait_until(lambda: freshness._thread is None)
        connections["replica"].close()
        connection.close()
        connection.settings_dict.update(kept)
        primary.ask("TRUNCATE agents_user, agents_profile CASCADE")
        if replica.process:
            replica.ask("SELECT pg_wal_replay_resume()")


def asked_of_replica(read: Callable[[], object]) -> int:
    connections["replica"].ensure_connection()
    with CaptureQueriesContext(connections["replica"]) as queries:
        read()
    return len(queries)


def test_explore_search_and_directories_are_read_from_the_replica_and_nothing_else(pair: Pair) -> None:
    for path in READ:
        assert asked_of_replica(lambda path=path: pair.get(path)) == 1
        assert asked_of_replica(lambda path=path: pair.get(path, pair.reader)) == 1
    # The page shows popular agents and busy communities beside the posts.
    assert asked_of_replica(lambda: pair.get("/explore")) == 3
    assert asked_of_replica(lambda: pair.get("/search?q=words")) == 1
    for path in NOT_READ:
        assert asked_of_replica(lambda path=path: pair.get(path, pair.reader)) == 0


def test_a_writer_sees_the_write_at_once_and_others_when_it_arrives(pair: Pair) -> None:
    pair.pause()
    pair.write(pair.author, "new")
    assert pair.titles(pair.author) == ["new"]
    assert pair.titles(pair.reader) == pair.titles() == []
    pair.resume()
    wait_until(lambda: pair.titles(pair.reader) == ["new"])


def test_what_is_removed_is_gone_at_once_for_everyone(pair: Pair) -> None:
    post = make_post(author=pair.author, title="removed")
    pair.caught_up()
    pair.pause()
    assert pair.titles() == ["removed"]
    remove_post(post=post)
    assert pair.titles() == pair.titles(pair.reader) == []
    assert pair.replica.ask("SELECT count(*) FROM posts_post") == (1,)
    pair.resume()


def test_a_replica_that_lags_too_much_is_left_out_until_it_catches_up(pair: Pair, settings: Any) -> None:
    pair.pause()
    settings.REPLICA_MAX_LAG_SECONDS = 0.3
    pair.primary.ask("SELECT pg_log_standby_snapshot()")
    wait_until(lambda: not freshness.is_fresh())
    assert asked_of_replica(pair.titles) == 0
    pair.resume()
    wait_until(freshness.is_fresh)
    # A busy machine may let a third of a second pass before the next line.
    settings.REPLICA_MAX_LAG_SECONDS = 60
    assert asked_of_replica(pair.titles) == 1


def test_a_dead_replica_is_left_out_and_taken_back(pair: Pair) -> None:
    pair.titles()
    pair.replica.stop()
    assert [pair.get(path).status for path in READ] == [200] * len(READ)
    wait_until(lambda: not freshness.is_fresh())
    assert [pair.get(path).status for path in READ] == [200] * len(READ)
    pair.replica.start()
    wait_until(freshness.is_fresh)
    assert asked_of_replica(pair.titles) == 1


def test_reads_that_hang_on_a_frozen_replica_go_to_the_primary(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness_module, "ANSWER_SECONDS", 0.2)
    pair.titles()
    ready, frozen, found = threading.Barrier(5), threading.Event(), []

    def read() -> None:
        connections["replica"].ensure_connection()
        ready.wait()
        frozen.wait()
        found.append(may_lag(lambda: Profile.objects.count(), viewer=None))
        connections.close_all()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    ready.wait()
    pair.replica.freeze()
    try:
        # As if it had been well a moment ago.
        freshness._current_at = float("inf")
        frozen.set()
        for thread in threads:
            thread.join(20)
        assert found == [2] * 4
    finally:
        pair.replica.thaw()


def test_a_query_that_the_replica_cancels_is_answered_by_the_primary(pair: Pair) -> None:
    def read() -> int:
        with connections["replica"].cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
        if reads_from.get() == "replica":
            raise OperationalError("canceling statement due to conflict with recovery")
        return Profile.objects.count()

    assert may_lag(read, viewer=None) == 2


def test_what_takes_too_long_is_not_tried_twice(pair: Pair) -> None:
    runs = []

    def read() -> None:
        runs.append(reads_from.get())
        with connections[reads_from.get()].cursor() as cursor:
            cursor.execute("SET statement_timeout = 1")
            cursor.execute("SELECT pg_sleep(1)")

    with pytest.raises(OperationalError, match="statement timeout"):
        may_lag(read, viewer=None)
    assert runs == ["replica"]


def test_without_valkey_everything_is_read_from_the_primary(pair: Pair, valkey: OwnValkey) -> None:
    valkey.freeze()
    assert asked_of_replica(pair.titles) == 0


def test_a_flushed_valkey_forgets_no_write(pair: Pair, valkey: OwnValkey) -> None:
    pair.pause()
    pair.write(pair.author, "new")
    valkey.client().flushall()
    assert pair.titles(pair.author) == ["new"]
    pair.resume()


def test_the_monitor_shows_the_replica_while_it_answers(pair: Pair) -> None:
    assert set(monitor.get_stats()["databases"]) == {"default", "replica"}
    pair.replica.stop()
    wait_until(lambda: not freshness.is_fresh())
    assert set(monitor.get_stats()["databases"]) == {"default"}


def test_a_transaction_reads_what_it_wrote(pair: Pair) -> None:
    with transaction.atomic():
        make_person("new")
        assert may_lag(Profile.objects.count, viewer=None) == 3


def test_a_row_that_was_read_from_the_replica_is_written_to_the_primary(pair: Pair) -> None:
    reader = may_lag(lambda: Profile.objects.get(pk=pair.reader.pk), viewer=None)
    assert reader._state.db == "replica"
    reader.bio = "changed"
    reader.save(update_fields=["bio"])
    assert Profile.objects.get(pk=reader.pk).bio == "changed"


def test_a_server_that_is_no_replica_is_never_read(pair: Pair) -> None:
    connections.settings["replica"].update(pair.primary.address)
    connections["replica"].close()
    alone = Freshness()
    alone.look()
    assert alone._written and alone._current_at is None


def test_migrations_leave_the_replica_alone() -> None:
    assert not ReplicaRouter().allow_migrate("replica", "posts")
    assert ReplicaRouter().allow_migrate("default", "posts")
