import io
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from agents.models import PersonaVersion
from performance import hot_queries, upkeep
from performance.budgets import endpoints
from performance.hot_queries import HotQuery, hot_query
from performance.indexes import catalogue
from performance.indexes.findings import findings, index_names
from performance.indexes.plans import verify
from performance.slow_queries import examine
from posts.models import Post
from tests.factories import make_post

pytestmark = pytest.mark.django_db


@pytest.fixture
def scratch(transactional_db: None) -> Iterator[None]:
    """A table large enough that reading all of it is no longer the best plan."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE scratch (id bigint PRIMARY KEY, kind int, post_id bigint REFERENCES posts_post)")
        cursor.execute("INSERT INTO scratch SELECT n, n FROM generate_series(1, 20000) n")
        cursor.execute("CREATE INDEX scratch_kind ON scratch (kind)")
        cursor.execute("ANALYZE scratch")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE scratch")


def verdict_on(sql: str, *indexes: str) -> str:
    return verify(HotQuery(name="q", indexes=frozenset(indexes), build=lambda: (sql, ()))).problem


def test_a_query_that_uses_its_index_passes(scratch: None) -> None:
    assert verdict_on("SELECT * FROM scratch WHERE kind = 7", "scratch_kind") == ""


def test_a_query_that_uses_another_index_fails(scratch: None) -> None:
    assert verdict_on("SELECT * FROM scratch WHERE id = 7", "scratch_kind") == (
        "does not use scratch_kind but scratch_pkey"
    )


def test_a_query_that_reads_the_whole_table_fails(scratch: None) -> None:
    assert verdict_on("SELECT * FROM scratch WHERE mod(kind, 2) = 0", "scratch_kind") == "reads all of scratch"


def test_a_small_table_may_be_read_whole_if_the_index_would_serve() -> None:
    make_post()
    # No other index of this table holds its key.
    query = HotQuery(
        name="persona",
        indexes=frozenset(["agents_personaversion_pkey"]),
        build=lambda: PersonaVersion.objects.filter(pk=1).order_by(),
    )
    assert verify(query).problem == ""


def test_an_empty_database_is_no_proof() -> None:
    query = HotQuery(
        name="post", indexes=frozenset(), build=lambda: Post.objects.filter(pk=Post.objects.all()[:1].get().pk)
    )
    assert "seed_load" in verify(query).problem


def test_two_hot_queries_cannot_share_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_queries, "_declared", {})
    hot_query("one", index="x", build=Post.objects.all)
    with pytest.raises(ValueError, match="'one'"):
        hot_query("one", index="y", build=Post.objects.all)


def test_a_duplicate_and_a_missing_index_are_found(scratch: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX scratch_kind_again ON scratch (kind)")
    found = {(finding.kind, finding.name) for finding in findings() if finding.table == "scratch"}
    assert found == {("duplicate", "scratch_kind"), ("missing", "scratch_post_id_fkey")}


@pytest.mark.parametrize(
    ("definition", "is_served"),
    [
        ("(post_id)", True),
        ("(post_id, kind)", True),
        ("(kind, post_id)", False),
        ("(post_id) WHERE post_id IS NOT NULL", True),
        ("(post_id) WHERE kind > 0", False),
    ],
)
def test_a_foreign_key_is_served_by_an_index_that_leads_with_all_of_it(
    scratch: None, definition: str, is_served: bool
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX scratch_post ON scratch {definition}")
    kinds = [finding.kind for finding in findings() if finding.table == "scratch"]
    assert ("missing" not in kinds) is is_served


def test_an_invalid_index_is_found_and_mended(scratch: None) -> None:
    with connection.cursor() as cursor:
        with pytest.raises(IntegrityError):
            cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY scratch_half ON scratch ((kind / 2))")
        cursor.execute("DELETE FROM scratch WHERE mod(kind, 2) = 1")
    assert ("invalid", "scratch_half") in {(finding.kind, finding.name) for finding in findings()}
    assert upkeep.mend_invalid_indexes() == "public.scratch_half"
    assert "invalid" not in {finding.kind for finding in findings()}


def test_a_bloated_index_is_found(scratch: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO scratch SELECT n, n FROM generate_series(20001, 120000) n")
        cursor.execute("DELETE FROM scratch WHERE id % 20 <> 0")
        cursor.execute("VACUUM ANALYZE scratch")
    assert ("bloated", "scratch_kind") in {(finding.kind, finding.name) for finding in findings()}


def test_a_large_index_that_nobody_reads_is_found_until_somebody_does(scratch: None) -> None:
    def unused() -> set[str]:
        return {finding.name for finding in findings() if finding.kind == "unused"}

    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO scratch SELECT n, n FROM generate_series(20001, 120000) n")
        assert "scratch_kind" in unused()
        cursor.execute("SELECT id FROM scratch WHERE kind = 7")
        cursor.execute("SELECT pg_stat_force_next_flush()")
    assert "scratch_kind" not in unused()


def test_every_former_index_has_a_counterpart_or_a_reason() -> None:
    assert [former.name for former in catalogue.CATALOGUE if not former.indexes and not former.why] == []
    assert catalogue.absent(index_names()) == []


def test_every_index_of_a_budget_exists_and_a_hot_query_proves_it() -> None:
    declared = {endpoint.budget.index for endpoint in endpoints() if endpoint.budget.index}
    assert declared - index_names() == set()
    proved = {index for query in hot_queries.hot_queries() for index in query.indexes}
    assert declared - proved == set()


def test_the_command_ends_with_a_failure_when_something_must_be_mended(scratch: None) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="must be mended"):
        call_command("verify_indexes", stdout=out)
    assert "missing: scratch_post_id_fkey" in out.getvalue()


def test_a_slow_statement_gets_its_plan_and_the_index_that_would_help(scratch: None) -> None:
    plan, advice = examine("SELECT * FROM scratch WHERE post_id = %s AND id < %s AND mod(kind, ?) = 1")
    assert plan == "Seq Scan scratch" or "scratch_pkey" in plan
    plan, advice = examine("SELECT * FROM scratch WHERE post_id = $1")
    assert (plan, advice) == ("Seq Scan scratch", "index scratch (post_id)")
    assert examine("SELECT * FROM no_such_table") == ("no plan without the values", "")
    assert examine("SELECT 1; DROP TABLE scratch") == ("", "")


def test_upkeep_goes_on_after_a_task_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_tasks", {})

    def fail() -> None:
        raise ZeroDivisionError

    upkeep.register_upkeep("a", fail)
    upkeep.register_upkeep("b", lambda: "done")
    out = io.StringIO()
    with pytest.raises(CommandError, match="Failed: a"):
        call_command("optimize_database", stdout=out, stderr=io.StringIO())
    assert "b: done" in out.getvalue()


def test_installed_apps_are_known_to_the_catalogue() -> None:
    known = {config.name for config in apps.get_app_configs()} | {"agents.inbox", "posts.publishing"}
    assert {former.app for former in catalogue.CATALOGUE} <= known
