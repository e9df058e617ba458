"""A read is compiled once, when it is declared; one that depends on its parameters is refused there."""

import datetime
from typing import Any

import pytest
from django.db.models import Q

from agents.models import ApiKey, Profile
from agents.serializers import ProfileName
from performance.prepared import PreparedRead, ShapeError, Size
from performance.prepared.read import registry


@pytest.fixture(autouse=True)
def forget_reads() -> Any:
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


def declare(build: Any, **parameters: Any) -> PreparedRead:
    return PreparedRead(build, name="names", shape=ProfileName, **parameters)


def sql_of(read: PreparedRead, **values: Any) -> str:
    return read.statement(**values)[0].sql


def test_declaring_a_read_compiles_it_without_a_database() -> None:
    read = declare(lambda pk: Profile.objects.filter(pk=pk), pk=int)
    assert sql_of(read, pk=7).endswith('WHERE "agents_profile"."id" = $1::bigint')
    assert read.statement(pk=7)[1] == [b"7"]


def test_constants_are_written_out_so_that_partial_indexes_match() -> None:
    read = declare(lambda pk: Profile.objects.agents().filter(bio="it's 100%", pk=pk), pk=int)
    assert '"agents_profile"."kind" = \'agent\'' in sql_of(read, pk=7)
    assert "\"agents_profile\".\"bio\" = 'it''s 100%'" in sql_of(read, pk=7)


def test_a_parameter_used_twice_is_one_parameter() -> None:
    read = declare(lambda word: Profile.objects.filter(Q(handle=word) | Q(bio=word)), word=str)
    assert sql_of(read, word="x").count("$1::text") == 2
    assert read.statement(word="x")[1] == [b"x"]


def test_a_model_stands_for_an_instance_that_is_known_by_its_key() -> None:
    read = declare(lambda viewer: viewer.following.values("author").model.objects.none() | Profile.objects.filter(
        followers__follower=viewer), viewer=Profile)  # fmt: skip
    assert read.statement(viewer=Profile(pk=3))[1] == read.statement(viewer=3)[1] == [b"3"]


def test_a_size_is_written_into_the_statement() -> None:
    read = declare(lambda size: Profile.objects.order_by("pk")[:size], size=Size(101))
    assert sql_of(read, size=21).endswith("LIMIT 21")
    assert sql_of(read, size=101).endswith("LIMIT 101")
    assert read.statement(size=21)[0] is read.statement(size=21)[0]
    for wrong in (0, -1, 102, None, "21", 2.0):
        with pytest.raises(ValueError, match="from 1 to 101"):
            read.statement(size=wrong)


def test_a_choice_has_a_statement_for_each_of_its_values() -> None:
    read = declare(
        lambda agents, before: (Profile.objects.agents() if agents else Profile.objects.people()).filter(
            Q() if before is None else Q(created_at__lt=before)
        ),
        agents=bool,
        before=datetime.datetime | None,
    )
    assert len(read.templates) == 4
    assert "'agent'" in sql_of(read, agents=True, before=None)
    assert "'person'" in sql_of(read, agents=False, before=None)
    assert "$1::timestamptz" not in sql_of(read, agents=True, before=None)
    moment = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    assert read.statement(agents=True, before=moment)[1] == [b"2026-01-02T00:00:00+00:00"]


@pytest.mark.parametrize(
    ("build", "kind", "reason"),
    [
        (lambda x: Profile.objects.filter(follower_count=x % 2), int, "depends|changed on its way"),
        (lambda x: Profile.objects.filter(bio__icontains=x), str, "changed on its way"),
        (lambda x: Profile.objects.filter(pk__in=range(x, x + 1 + x % 1000)), int, "depends on the value"),
        (
            lambda x: Profile.objects.order_by("bio" if x % 1000 == 1 else "pk").filter(pk=x),
            int,
            "depends on",
        ),
        (lambda x: Profile.objects.all(), int, "is not in the SQL"),
        (lambda x: Profile.objects.order_by("pk")[: x + 1], Size(100), "depends on the value"),
        (lambda x: Profile.objects.none(), int, "never has a row"),
        (lambda x: Profile.objects.filter(pk=x).values("nothing"), int, "Cannot resolve keyword"),
    ],
)
def test_a_query_that_depends_on_a_value_is_refused_when_it_is_declared(build: Any, kind: Any, reason: str) -> None:
    with pytest.raises(ShapeError, match=f"names: (.|\n)*({reason})"):
        declare(build, x=kind)


@pytest.mark.parametrize("kind", [float, "int", list[str], int | str, dict])
def test_a_type_that_cannot_be_a_parameter_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match="x: .* cannot be a parameter"):
        declare(lambda x: Profile.objects.filter(pk=x), x=kind)


def test_values_are_checked_by_name_and_for_none() -> None:
    read = declare(lambda pk: Profile.objects.filter(pk=pk), pk=int)
    for values in ({}, {"pk": 1, "size": 2}, {"id": 1}):
        with pytest.raises(TypeError, match="names takes pk"):
            read.statement(**values)
    with pytest.raises(TypeError, match="cannot be None"):
        read.statement(pk=None)


def test_bytes_are_parameters() -> None:
    read = PreparedRead(
        lambda digest: Profile.objects.filter(pk__in=ApiKey.objects.filter(digest=digest).values("profile")),
        name="names", shape=ProfileName, digest=bytes,
    )  # fmt: skip
    assert read.statement(digest=b"\x00\xff")[1] == [b"\\x00ff"]
