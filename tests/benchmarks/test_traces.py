"""A recorded write becomes a template that bare psycopg fills for other callers."""

from typing import Any

import pytest
from psycopg.types.numeric import Int4

from agents.models import Agent, Profile
from benchmarks.traces import COMMIT, Constant, Items, Number, Reference, Step, Text, explain, generalise, recorded
from performance.prepared import PreparedWrite
from posts.models import Post
from posts.services.interactions import like_post
from tests.factories import make_post

KNOWN, OTHER = {"viewer": "5001", "post": "70001"}, {"viewer": "5002", "post": "70002"}


@pytest.mark.parametrize(
    ("value", "other", "parameter"),
    [
        (5001, 5002, Number("viewer")),
        (Int4(70001), Int4(70002), Number("post", Int4)),
        ("5001", "5002", Reference("viewer")),
        ("like:70001:5001", "like:70002:5002", Text("like:{post}:{viewer}")),
        ([70001, 3], [70002, 3], Items((Number("post"), Constant(3)))),
        (20, 20, Constant(20)),
        ("a", "b", Constant("a")),
    ],
)
def test_a_parameter_is_explained_by_what_both_requests_knew(value: Any, other: Any, parameter: object) -> None:
    assert explain(value, KNOWN, other, OTHER) == parameter


def test_a_parameter_is_filled_for_another_request() -> None:
    known = {"viewer": "1", "post": "2"}
    assert explain("like:70001:5001", KNOWN, "like:70002:5002", OTHER).fill(known) == "like:2:1"
    assert explain([70001], KNOWN, [70002], OTHER).fill(known) == [2]


def test_braces_of_a_text_stay_what_they_are() -> None:
    assert explain("{a} 70001", KNOWN, "{a} 70002", OTHER).fill({"post": "9"}) == "{a} 9"


def test_an_answer_is_passed_on_to_a_later_statement() -> None:
    first = [Step("INSERT", answered=["90001"]), Step("UPDATE", [90001])]
    second = [Step("INSERT", answered=["90002"]), Step("UPDATE", [90002])]
    trace = generalise(first, {}, second, {})
    assert trace.steps[1].parameters == [Number("answer_0_0")]


def test_two_requests_that_differ_in_their_statements_make_no_trace() -> None:
    with pytest.raises(ValueError, match="different statements"):
        generalise([Step("SELECT 1")], {}, [Step("SELECT 2")], {})


def test_a_like_is_recorded_as_it_runs(wren: Agent, bob: Profile, charlie: Profile) -> None:
    posts = [make_post(author=wren.profile), make_post(author=wren.profile)]
    recordings = []
    for profile, post in zip((bob, charlie), posts, strict=True):
        with recorded() as steps:
            like_post(profile=profile, post=post)
        recordings.append(steps)
    table = Post.likes.rel.related_model._meta.db_table
    (insert,) = [step for step in recordings[0] if f"INSERT INTO {table}" in step.sql]
    assert insert.parameters[:2] == [str(bob.pk), str(posts[0].pk)]
    assert [step.sql for step in recordings[0]] == [step.sql for step in recordings[1]]


@pytest.mark.django_db(transaction=True)
def test_a_commit_is_recorded() -> None:
    from django.db import transaction

    with recorded() as steps, transaction.atomic():
        Post.objects.exists()
    assert steps[-1].sql == COMMIT
    assert steps[0].in_transaction


@pytest.mark.django_db
def test_what_is_written_past_the_cursors_is_recorded_with_what_it_leaves_empty_and_answers() -> None:
    given = PreparedWrite("SELECT json_build_array(%(one)s, %(other)s)", one=int, other=int | None)
    with recorded() as steps:
        given.run(one=4, other=None)
    (step,) = steps
    # What stands in a list can be passed on by itself.
    assert (step.parameters, step.answered) == (["4", None], ["[4, null]", "4", "None"])
    # The test itself runs in a transaction.
    assert step.is_raw and step.in_transaction
