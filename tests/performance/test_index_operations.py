"""Index migrations beside others who use the table, killed, run again and rolled back."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, NotSupportedError, OperationalError, connection, models, transaction
from django.db.migrations import AddIndex, CreateModel, Migration, RemoveIndex
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from performance.indexes import building
from performance.indexes.findings import findings
from performance.indexes.operations import AddIndexSafely, RemoveIndexSafely
from tests.concurrency import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = "performance_scratch"
OURS = {"agents", "posts", "feed", "performance"}
# No installation held data before the first release.
BEFORE_THE_FIRST_RELEASE = {
    "agents.knowledge.migrations.0002_retrieval_research_ledger",
    "agents.knowledge.migrations.0004_passage_heading",
}
INDEX = models.Index(fields=["kind"], name="scratch_by_kind")


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProjectState]:
    """A table with rows, as the migrations before would leave it."""
    monkeypatch.setattr(building, "PAUSE_SECONDS", 0.01)
    state = ProjectState()
    fields: list[tuple[str, models.Field[Any, Any]]] = [("id", models.AutoField(primary_key=True))]
    state.add_model(ModelState("performance", "Scratch", [*fields, ("kind", models.IntegerField())]))
    with connection.schema_editor() as editor:
        editor.create_model(state.apps.get_model("performance", "Scratch"))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} (kind) SELECT n % 50 FROM generate_series(1, 1000) n")
    yield state
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")


def migrate(operation: Operation, before: ProjectState, *, backwards: bool = False) -> ProjectState:
    """Run one operation as a migration that is not atomic; return the state after it."""
    after = before.clone()
    operation.state_forwards("performance", after)
    states = (after, before) if backwards else (before, after)
    run = operation.database_backwards if backwards else operation.database_forwards
    with connection.schema_editor(atomic=False) as editor:
        run("performance", editor, *states)
    return after


def indexes() -> dict[str, bool]:
    sql = (
        "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [TABLE])
        return dict(cursor.fetchall())


def ask(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


class Beside:
    """Does something on a connection of its own; `act` gets this object."""

    def __init__(self, act: Callable[["Beside"], object]) -> None:
        self.ready, self.done = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self._act = act
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._act(self)
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def join(self) -> None:
        self.done.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


def hold(statement: str) -> Beside:
    """Keep a transaction open that has run a statement."""

    def act(beside: Beside) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            beside.ready.set()
            beside.done.wait(20)

    beside = Beside(act)
    assert beside.ready.wait(20)
    return beside


def waiting_builder() -> int | None:
    """Return the process that waits while it builds an index of the table."""
    sql = "SELECT pid FROM pg_stat_progress_create_index WHERE relid = %s::regclass AND phase LIKE 'waiting%%'"
    with connection.cursor() as cursor:
        cursor.execute(sql, [TABLE])
        found = cursor.fetchone()
    return found and int(found[0])


def test_an_index_is_built_analysed_and_rolled_back(before: ProjectState) -> None:
    add = AddIndexSafely("scratch", INDEX)
    after = migrate(add, before)
    assert indexes() == {"scratch_by_kind": True}
    assert ask(f"SELECT reltuples FROM pg_class WHERE relname = '{TABLE}'") == 1000
    remove = RemoveIndexSafely("scratch", "scratch_by_kind")
    migrate(remove, after)
    assert indexes() == {}
    migrate(remove, after, backwards=True)
    assert indexes() == {"scratch_by_kind": True}
    migrate(add, before, backwards=True)
    assert indexes() == {}


def test_the_limits_of_requests_do_not_hold_for_a_build_and_come_back(before: ProjectState) -> None:
    limits = ask("SHOW statement_timeout"), ask("SHOW lock_timeout")
    seen = []

    def note(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith("CREATE INDEX"):
            seen.append((ask("SHOW statement_timeout"), ask("SHOW lock_timeout")))
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        migrate(AddIndexSafely("scratch", INDEX), before)
    assert seen == [("0", "0")]
    assert (ask("SHOW statement_timeout"), ask("SHOW lock_timeout")) == limits != ("0", "0")


def test_a_build_that_was_killed_is_done_again(before: ProjectState) -> None:
    writer = hold(f"UPDATE {TABLE} SET kind = 1 WHERE id = 1")
    builder = Beside(lambda _: migrate(AddIndexSafely("scratch", INDEX), before))
    wait_until(lambda: waiting_builder() is not None)
    assert ask(f"SELECT pg_terminate_backend({waiting_builder()}, 5000)")
    builder.join()
    writer.join()
    assert isinstance(builder.error, OperationalError)
    assert indexes() == {"scratch_by_kind": False}
    assert ("invalid", "scratch_by_kind") in {(found.kind, found.name) for found in findings()}
    migrate(AddIndexSafely("scratch", INDEX), before)
    assert indexes() == {"scratch_by_kind": True}


def test_a_build_whose_end_was_not_recorded_is_not_done_twice(before: ProjectState) -> None:
    migrate(AddIndexSafely("scratch", INDEX), before)
    node = ask("SELECT relfilenode FROM pg_class WHERE relname = 'scratch_by_kind'")
    migrate(AddIndexSafely("scratch", INDEX), before)
    assert ask("SELECT relfilenode FROM pg_class WHERE relname = 'scratch_by_kind'") == node


def test_a_build_that_fails_leaves_nothing_behind(before: ProjectState) -> None:
    class UniqueIndex(models.Index):
        def create_sql(self, *arguments: Any, **options: Any) -> str:
            return f"CREATE UNIQUE INDEX CONCURRENTLY scratch_by_kind ON {TABLE} (kind)"

    with pytest.raises(IntegrityError):
        migrate(AddIndexSafely("scratch", UniqueIndex(fields=["kind"], name="scratch_by_kind")), before)
    assert indexes() == {}


def test_readers_and_writers_do_not_wait_while_a_build_waits_for_a_long_transaction(before: ProjectState) -> None:
    writer = hold(f"UPDATE {TABLE} SET kind = 1 WHERE id = 1")
    builder = Beside(lambda _: migrate(AddIndexSafely("scratch", INDEX), before))
    wait_until(lambda: waiting_builder() is not None)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '1ms'")
        cursor.execute(f"INSERT INTO {TABLE} (kind) VALUES (7)")
        cursor.execute(f"UPDATE {TABLE} SET kind = 8 WHERE id = 2")
        cursor.execute(f"SELECT count(*) FROM {TABLE}")
    writer.join()
    builder.join()
    assert builder.error is None
    assert indexes() == {"scratch_by_kind": True}


def test_a_build_gives_up_its_place_each_second_while_the_table_is_altered(
    before: ProjectState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "LOCK_SECONDS", 0.05)
    tried = threading.Semaphore(0)
    monkeypatch.setattr(building.time, "sleep", lambda _: tried.release())
    altering = hold(f"ALTER TABLE {TABLE} ADD COLUMN more int")
    builder = Beside(lambda _: migrate(AddIndexSafely("scratch", INDEX), before))
    for _ in range(3):
        assert tried.acquire(timeout=20)
    altering.join()
    builder.join()
    assert builder.error is None
    assert indexes() == {"scratch_by_kind": True}


def test_a_table_that_never_gets_free_is_an_error(before: ProjectState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "LOCK_SECONDS", 0.01)
    monkeypatch.setattr(building, "ATTEMPTS", 2)
    altering = hold(f"ALTER TABLE {TABLE} ADD COLUMN more int")
    with pytest.raises(OperationalError, match="lock timeout"):
        migrate(AddIndexSafely("scratch", INDEX), before)
    altering.join()
    assert indexes() == {}


def test_an_atomic_migration_is_refused(before: ProjectState) -> None:
    with transaction.atomic(), pytest.raises(NotSupportedError, match="atomic = False"):
        migrate(AddIndexSafely("scratch", INDEX), before)


def test_what_it_would_run_can_be_shown(before: ProjectState) -> None:
    after = before.clone()
    add = AddIndexSafely("scratch", INDEX)
    add.state_forwards("performance", after)
    with connection.schema_editor(atomic=False, collect_sql=True) as editor:
        add.database_forwards("performance", editor, before, after)
    assert editor.collected_sql == [f'CREATE INDEX CONCURRENTLY "scratch_by_kind" ON "{TABLE}" ("kind");']
    assert indexes() == {}


def created_in(migration: Migration) -> set[str]:
    return {operation.name_lower for operation in migration.operations if isinstance(operation, CreateModel)}


def test_every_index_of_a_table_that_may_hold_data_is_built_safely() -> None:
    ours = [one for one in MigrationLoader(None).disk_migrations.values() if one.__module__.split(".")[0] in OURS]
    unsafe = [
        f"{migration.__module__}: {operation.describe()}"
        for migration in ours
        if migration.__module__ not in BEFORE_THE_FIRST_RELEASE
        for operation in migration.operations
        if isinstance(operation, AddIndex | RemoveIndex)
        and not isinstance(operation, AddIndexSafely | RemoveIndexSafely)
        if operation.model_name_lower not in created_in(migration)
    ]
    assert ours
    assert unsafe == []
