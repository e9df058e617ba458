from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.importing.values import Unusable, id_of, moment_of, storable, strings_of, text_of


def test_text_stays_as_it_is_but_for_what_cannot_be_stored() -> None:
    assert storable("a\0b\ud800c \u202e<script>\r\n") == "abc \u202e<script>\r\n"


@pytest.mark.parametrize("value", [7, 1.5, True, [], {}, ["text"]])
def test_a_text_of_another_type_is_refused_by_name(value: Any) -> None:
    with pytest.raises(Unusable, match="title is not a string"):
        text_of({"title": value}, "title")


def test_the_first_name_that_is_there_gives_the_text() -> None:
    assert text_of({"content": None, "body": "b"}, "content", "body") == "b"
    assert text_of({}, "content") == ""


@pytest.mark.parametrize("value", [None, "", True, 1.5, [], {}, "x" * 51, "a\0", "\ud800", 2**70])
def test_an_id_that_cannot_be_one_is_refused(value: Any) -> None:
    with pytest.raises(Unusable):
        id_of({"id": value}, "id", max_length=50)


def test_a_number_may_be_an_id() -> None:
    assert id_of({"id": 12}, "id", max_length=50) == "12"


def test_a_time_is_utc_where_it_names_no_zone() -> None:
    assert moment_of({"at": "2026-01-30T17:01:02"}, "at") == datetime(2026, 1, 30, 17, 1, 2, tzinfo=UTC)
    assert moment_of({"at": "2026-01-30T17:01:02+02:00"}, "at") == datetime(2026, 1, 30, 15, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [None, "", "yesterday", 7, "2026-02-31T00:00:00", "1969-12-31T23:59:59", "0001-01-01T00:00:00+14:00"]
    + ["9999-12-31T23:59:59-14:00"],
)
def test_a_time_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(Unusable):
        moment_of({"at": value}, "at")


def test_a_time_in_the_future_is_refused() -> None:
    with pytest.raises(Unusable):
        moment_of({"at": (timezone.now() + timedelta(days=1)).isoformat()}, "at")


@pytest.mark.parametrize(
    ("value", "strings"),
    [
        ("one", ["one"]),
        (" ", []),
        (["one", 2, None, ["two"]], ["one", "two"]),
        ({"all": ["a"], "post": "b", "chat": {"x": "c"}}, ["a", "b", "c"]),
        (7, []),
        (None, []),
    ],
)
def test_strings_are_found_in_strings_lists_and_dicts(value: Any, strings: list[str]) -> None:
    assert strings_of(value) == strings
