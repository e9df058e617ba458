"""Prepared reads survive what happens to connections."""

import json
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, transaction
from django.db.utils import ProgrammingError
from psycopg import errors
from pytest_django.fixtures import Settings

from agents.models import Profile
from agents.serializers import ProfileName
from performance.prepared import PreparedRead
from performance.prepared.statement import Statement, run_together
from tests.factories import make_person

by_pk = PreparedRead(lambda pk: Profile.objects.filter(pk=pk), name="test by pk", shape=ProfileName, pk=int)
by_handle = PreparedRead(
    lambda handle: Profile.objects.filter(handle=handle), name="test by handle", shape=ProfileName, handle=str
)


@pytest.fixture
def ada(transactional_db: None) -> Iterator[Profile]:
    yield make_person("ada")
    # What a test did to its connection ends with it.
    connection.close()


def handle_of(pk: int) -> str | None:
    found = by_pk.one(pk=pk)
    return found and json.loads(found)["handle"]


def prepared_names() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements")
        return [name for (name,) in cursor.fetchall()]


def test_a_read_is_prepared_once_per_connection(ada: Profile) -> None:
    connection.close()
    for _ in range(3):
        assert handle_of(ada.pk) == "ada"
    assert prepared_names() == [by_pk.statement(pk=1)[0].name.decode()]
    connection.close()
    assert handle_of(ada.pk) == "ada"
    assert len(prepared_names()) == 1


def test_a_read_that_finds_nothing_says_so(ada: Profile) -> None:
    assert by_pk.one(pk=ada.pk + 1) is None
    assert list(by_pk.rows(pk=ada.pk + 1)) == []


@pytest.mark.parametrize("statement", ["DEALLOCATE ALL", "DISCARD ALL"])
def test_a_lost_statement_is_prepared_again(ada: Profile, statement: str) -> None:
    handle_of(ada.pk)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert handle_of(ada.pk) == "ada"
    assert len(prepared_names()) == 1


def test_a_statement_that_another_has_prepared_is_used(ada: Profile) -> None:
    connection.close()
    connection.ensure_connection()
    statement, _ = by_pk.statement(pk=1)
    connection.connection.pgconn.prepare(statement.name, statement.query)
    assert handle_of(ada.pk) == "ada"


def test_a_statement_survives_a_change_of_the_table(ada: Profile) -> None:
    handle_of(ada.pk)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agents_profile ALTER COLUMN handle TYPE varchar(41)")
    try:
        assert handle_of(ada.pk) == "ada"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE agents_profile ALTER COLUMN handle TYPE varchar(40)")


def test_a_statement_follows_the_search_path(ada: Profile) -> None:
    handle_of(ada.pk)
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA elsewhere")
        cursor.execute("CREATE TABLE elsewhere.agents_profile (LIKE public.agents_profile)")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET search_path = elsewhere")
        assert handle_of(ada.pk) is None
        with connection.cursor() as cursor:
            cursor.execute("RESET search_path")
        assert handle_of(ada.pk) == "ada"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA elsewhere CASCADE")


def cut(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])


@pytest.mark.parametrize("is_prepared", [True, False])
def test_a_connection_that_the_server_closed_is_replaced_unnoticed(ada: Profile, is_prepared: bool) -> None:
    connection.close()
    if is_prepared:
        handle_of(ada.pk)
    killer = threading.Thread(target=lambda pid: (cut(pid), connection.close()), args=[_pid()])
    killer.start()
    killer.join()
    assert handle_of(ada.pk) == "ada"
    assert handle_of(ada.pk) == "ada"


def _pid() -> int:
    connection.ensure_connection()
    pid: int = connection.connection.info.backend_pid
    return pid


def test_within_a_transaction_a_lost_connection_is_an_error(ada: Profile) -> None:
    with pytest.raises(OperationalError), transaction.atomic():
        handle_of(ada.pk)
        killer = threading.Thread(target=lambda pid: (cut(pid), connection.close()), args=[_pid()])
        killer.start()
        killer.join()
        handle_of(ada.pk)


def test_a_read_sees_the_transaction_that_it_is_in(ada: Profile) -> None:
    with transaction.atomic():
        assert handle_of(ada.pk) == "ada"
        Profile.objects.filter(pk=ada.pk).update(handle="eve")
        assert handle_of(ada.pk) == "eve"
        transaction.set_rollback(True)
    assert handle_of(ada.pk) == "ada"


def test_the_first_statement_of_a_transaction_opens_it(ada: Profile) -> None:
    with transaction.atomic():
        handle_of(ada.pk)
        assert connection.connection.info.transaction_status.name == "INTRANS"


def test_many_threads_share_a_read(ada: Profile) -> None:
    others = [make_person(f"person-{number}") for number in range(8)]
    wrong: list[Any] = []

    def ask(profile: Profile) -> None:
        try:
            wrong.extend(profile for _ in range(50) if handle_of(profile.pk) != profile.handle)
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=[profile]) for profile in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_errors_are_those_of_django(ada: Profile, settings: Any) -> None:
    with pytest.raises(DataError):
        by_pk.one(pk=2**63)
    for text in ("nul\x00", "lone \ud800 surrogate"):
        with pytest.raises(DataError):
            by_handle.one(handle=text)
    assert handle_of(ada.pk) == "ada"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agents_profile RENAME TO away")
    try:
        with pytest.raises(ProgrammingError) as error:
            by_pk.one(pk=ada.pk)
        assert isinstance(error.value.__cause__, errors.UndefinedTable)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO agents_profile")


def test_statements_need_not_be_prepared(ada: Profile, settings: Any) -> None:
    settings.PREPARE_STATEMENTS = False
    connection.close()
    assert handle_of(ada.pk) == "ada"
    assert prepared_names() == []


@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_read_is_counted_and_wrapped_like_any_query(
    ada: Profile, in_transaction: bool, django_assert_num_queries: Any
) -> None:
    seen = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, context["connection"]))
        return execute(sql, params, many, context)

    with django_assert_num_queries(1), connection.execute_wrapper(wrapper):
        if in_transaction:
            connection.connection.autocommit = True
        handle_of(ada.pk)
    assert seen == [(by_pk.statement(pk=1)[0].sql, connection)]


RENAME = Statement(
    "UPDATE agents_profile SET display_name = display_name || $2::text WHERE id = $1::bigint RETURNING id"
)
COUNT = Statement("SELECT count(*) FROM agents_profile WHERE display_name = $1::text")
DIVIDE = Statement("SELECT 1 / $1::int")


def rename(profile: Profile, *more: tuple[Statement, list[bytes]]) -> list[Any]:
    return run_together(connection, [(RENAME, [b"%d" % profile.pk, b"!"]), *more])


def name_of(profile: Profile) -> str:
    return Profile.objects.values_list("display_name", flat=True).get(pk=profile.pk)


@pytest.mark.parametrize("is_in_transaction", [False, True])
def test_statements_sent_together_see_what_those_before_them_wrote(ada: Profile, is_in_transaction: bool) -> None:
    with transaction.atomic() if is_in_transaction else nullcontext():
        _, counted = rename(ada, (COUNT, [b"ada!"]))
    assert counted.get_value(0, 0) == b"1" and name_of(ada) == "ada!"


def test_of_statements_sent_together_none_is_written_when_one_fails(ada: Profile) -> None:
    with pytest.raises(DataError):
        rename(ada, (DIVIDE, [b"0"]), (COUNT, [b"ada!"]))
    assert name_of(ada) == "ada"
    rename(ada)
    assert name_of(ada) == "ada!"


def test_statements_sent_together_count_as_one(ada: Profile, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        rename(ada, (COUNT, [b"ada!"]))


@pytest.mark.parametrize("prepares", [True, False])
def test_statements_sent_together_are_written_once_when_the_server_forgot_them(
    ada: Profile, settings: Settings, prepares: bool
) -> None:
    settings.PREPARE_STATEMENTS = prepares
    rename(ada, (COUNT, [b"ada!"]))
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    _, counted = rename(ada, (COUNT, [b"ada!!"]))
    assert counted.get_value(0, 0) == b"1" and name_of(ada) == "ada!!"


def test_a_connection_that_is_lost_under_statements_sent_together_is_an_error(ada: Profile) -> None:
    connection.ensure_connection()
    connection.connection.pgconn.finish()
    with pytest.raises(OperationalError):
        rename(ada, (COUNT, [b"ada!"]))
    connection.close()
    assert name_of(ada) == "ada"
