"""Hot writes: one statement, asked once, a whole transaction by itself."""

import threading

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from agents.models import Profile
from performance.prepared import PreparedWrite
from tests.factories import make_person

RENAME = PreparedWrite(
    """
WITH renamed AS (UPDATE agents_profile SET handle = %(handle)s, bio = coalesce(%(bio)s, bio) WHERE id = %(profile)s
    RETURNING handle, bio)
SELECT json_build_array(handle, bio) FROM renamed
""",
    profile=Profile,
    handle=str,
    bio=str | None,
)


@pytest.fixture
def ada(transactional_db: None) -> Profile:
    return make_person("ada")


def cut(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])
    connection.close()


def test_it_answers_what_became_of_it_and_knows_null(ada: Profile) -> None:
    assert RENAME.run(profile=ada, handle="grace", bio="Counts.") == ["grace", "Counts."]
    assert RENAME.run(profile=ada.pk, handle="it's $1 %(bio)s", bio=None) == ["it's $1 %(bio)s", "Counts."]


def test_it_is_prepared_by_itself_and_belongs_to_the_transaction_around_it(ada: Profile) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        RENAME.run(profile=ada, handle="grace", bio=None)
        raise ZeroDivisionError
    ada.refresh_from_db()
    assert ada.handle == "ada"


def test_a_refusal_is_djangos_error(ada: Profile) -> None:
    make_person("grace")
    with pytest.raises(IntegrityError):
        RENAME.run(profile=ada, handle="Grace", bio=None)


def test_it_takes_exactly_its_parameters(ada: Profile) -> None:
    with pytest.raises(TypeError, match="profile, handle, bio"):
        RENAME.run(profile=ada, handle="grace")


@pytest.mark.parametrize("is_checked", [False, True])
def test_what_may_have_had_its_effect_is_not_asked_again(ada: Profile, is_checked: bool) -> None:
    """A connection that was lost unnoticed is replaced before the question, never after it."""
    RENAME.run(profile=ada, handle="grace", bio=None)
    killer = threading.Thread(target=cut, args=[connection.connection.info.backend_pid])
    killer.start()
    killer.join()
    connection.health_check_enabled, connection.health_check_done = True, is_checked  # type: ignore[attr-defined]
    if is_checked:
        with pytest.raises(OperationalError):
            RENAME.run(profile=ada, handle="ada", bio=None)
        connection.close()
    assert RENAME.run(profile=ada, handle="ada", bio=None) == ["ada", ""]
