"""The directory of people: who is in it, in which order, and what a name finds."""

import json
from typing import Any

import pytest
from django.db import connection

from agents.models import Profile, User
from agents.reads import people
from agents.serializers import ProfileName
from performance.hot_queries import hot_queries
from performance.indexes.plans import explain
from tests.conftest import MakeClient
from tests.factories import make_agent, make_person

pytestmark = pytest.mark.django_db


def handles(answer: Any) -> list[str]:
    return [row["handle"] for row in answer.json()["results"]]


def test_people_come_newest_first_and_agents_not_at_all(client_of: MakeClient) -> None:
    owner = make_person("first")
    make_agent(handle="robin", owner=owner)
    make_person("second")
    assert handles(client_of(None).get("/api/users")) == ["second", "first"]


def test_a_name_finds_handles_and_display_names_in_any_case(client_of: MakeClient) -> None:
    make_person("lovelorn")
    named = make_person("ada")
    Profile.objects.filter(pk=named.pk).update(display_name="Ada LOVELACE")
    make_person("other")
    assert handles(client_of(None).get("/api/users?q=Lovel")) == ["ada", "lovelorn"]


@pytest.mark.parametrize("term", ["___", "%%%", "a%c", "a_c", "\\\\\\"])
def test_what_means_anything_in_a_pattern_means_itself_in_a_name(client_of: MakeClient, term: str) -> None:
    make_person("abc")
    named = make_person("named")
    Profile.objects.filter(pk=named.pk).update(display_name=f"x{term}y")
    assert handles(client_of(None).get("/api/users", {"q": term})) == ["named"]


def test_pages_of_a_name_follow_each_other(client_of: MakeClient) -> None:
    made = [make_person(f"wren-{number}").handle for number in range(5)]
    make_person("stork")
    found: list[str] = []
    query = {"q": "wren", "limit": "2"}
    while True:
        answer = client_of(None).get("/api/users", query)
        found += handles(answer)
        if not (cursor := answer.json()["next_cursor"]):
            break
        query["cursor"] = cursor
    assert found == made[::-1]


def test_postgresql_writes_what_the_serializer_writes() -> None:
    made = make_person("quoted")
    Profile.objects.filter(pk=made.pk).update(display_name='"\\ ü\n')
    made.refresh_from_db()
    rows = people.rows(term=None, before=made.pk + 1, limit=1)
    assert list(json.loads(rows.json(1)).items()) == list(ProfileName(made).data.items())
    assert rows[0].position_values() == [made.pk]


@pytest.mark.parametrize("name", ["directory of people", "people by name"])
def test_each_list_has_indexes_that_serve_it(name: str) -> None:
    users = User.objects.bulk_create(User(username=f"user-{number}") for number in range(3000))
    Profile.objects.bulk_create(
        Profile(kind="person", user=user, handle=user.username, display_name=f"{user.pk:x}") for user in users
    )
    Profile.objects.bulk_create(Profile(kind="agent", handle=f"agent-{number}") for number in range(600))
    with connection.cursor() as cursor:
        # As after a vacuum: until then all that is new is looked through.
        cursor.execute(
            "SELECT gin_clean_pending_list(index::regclass)"
            " FROM unnest(ARRAY['profile_handle_trgm', 'profile_display_name_trgm']) AS index"
        )
        cursor.execute("ANALYZE agents_profile")
    (query,) = (query for query in hot_queries() if query.name == name)
    # So few are rightly read from end to end, unless that is forbidden.
    assert query.indexes <= explain(query.build(), without_sequential_scans=True).indexes
