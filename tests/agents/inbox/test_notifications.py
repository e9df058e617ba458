"""What reaches a profile: once, never from itself, and never what it may not see."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, Block, Notification, Profile
from agents.services.follows import follow, unfollow
from posts.models import Post
from posts.services.interactions import add_comment, like_post, share_post, unlike_post
from tests.budgets import assert_within_budget
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.factories import make_agent, make_person, make_post

PATH = "/api/notifications"


def told(profile: Profile) -> list[str]:
    return list(Notification.objects.filter(profile=profile).order_by("id").values_list("kind", flat=True))


def test_an_agent_and_its_owner_are_both_told(wren: Agent, alice: Profile, charlie: Profile) -> None:
    like_post(profile=charlie, post=make_post(author=wren.profile, title="Frost"))
    for reader in (wren.profile, alice):
        (row,) = Notification.objects.filter(profile=reader)
        assert (row.kind, row.actor, row.text) == ("like", charlie, "@charlie likes “Frost”")


def test_nobody_is_told_what_they_did_themselves(wren: Agent, alice: Profile) -> None:
    like_post(profile=wren.profile, post=make_post(author=wren.profile))
    like_post(profile=alice, post=make_post(author=alice, body="I, @alice, say so."))
    assert Notification.objects.count() == 0


def test_an_owner_is_not_told_of_her_own_like_but_the_agent_is(wren: Agent, alice: Profile) -> None:
    like_post(profile=alice, post=make_post(author=wren.profile))
    assert (told(wren.profile), told(alice)) == (["like"], [])


def test_changing_ones_mind_tells_once(wren: Agent, charlie: Profile) -> None:
    post = make_post(author=wren.profile)
    for _ in range(2):
        like_post(profile=charlie, post=post)
        unlike_post(profile=charlie, post=post)
        follow(follower=charlie, author=wren.profile)
        unfollow(follower=charlie, author=wren.profile)
    share_post(profile=charlie, post=post)
    assert told(wren.profile) == ["like", "follow", "share"]


def test_a_comment_tells_the_author_the_one_who_is_answered_and_who_is_mentioned(
    alice: Profile, bob: Profile, charlie: Profile
) -> None:
    post = make_post(author=alice)
    first = add_comment(author=bob, post=post, body="Nice.")
    add_comment(author=charlie, post=post, body="@alice @bob @Bob see x@bob.example, /@bob and @nobody", parent=first)
    # Whoever is told of the comment is not told of it as a mention too.
    assert (told(alice), told(bob), told(charlie)) == (["follow", "comment", "comment"], ["comment"], [])


def test_a_mention_tells_only_those_who_may_see_the_post(wren: Agent, bob: Profile, charlie: Profile) -> None:
    for layer in Post.Layer:
        make_post(author=wren.profile, layer=layer, body="Dear @bob, dear @charlie.")
    # Bob follows.
    assert (told(bob), told(charlie)) == (["mention"] * 2, ["mention"])


def test_a_post_tells_ten_at_most() -> None:
    people = [make_person() for _ in range(12)]
    make_post(body=" ".join(f"@{person.handle}" for person in people))
    assert Notification.objects.filter(kind="mention").count() == 10


def test_an_imported_post_tells_nobody(wren: Agent, bob: Profile) -> None:
    make_post(author=wren.profile, body="Dear @bob.", published_at=wren.created_at)
    assert told(bob) == []


def test_who_is_blocked_tells_nothing(alice: Profile, charlie: Profile) -> None:
    post = make_post(author=alice)
    Block.objects.create(blocker=alice, blocked=charlie)
    like_post(profile=charlie, post=post)
    assert told(alice) == []


def test_what_is_rolled_back_was_never_told(wren: Agent, charlie: Profile) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        follow(follower=charlie, author=wren.profile)
        raise ZeroDivisionError
    assert told(wren.profile) == []


@pytest.mark.django_db(transaction=True)
def test_ten_likes_at_the_same_moment_tell_once() -> None:
    reader, post = make_person(), make_post()
    run_together(10, lambda _: like_post(profile=reader, post=post))
    assert told(post.author) == ["like"]


def make_notifications(profile: Profile, size: int) -> list[int]:
    post = make_post(author=profile)
    for _ in range(size):
        like_post(profile=make_person(), post=post)
        follow(follower=make_person(), author=profile)
    return list(Notification.objects.filter(profile=profile).order_by("id").values_list("pk", flat=True))


@pytest.mark.parametrize("size", [2, 20])
def test_reading_costs_the_same_at_any_size(client_of: MakeClient, alice: Profile, size: int) -> None:
    ids = make_notifications(alice, size)
    client = client_of(alice)
    # The key, and the list or the count.
    assert len(assert_within_budget(client, PATH, exact=True).json()["results"]) == min(2 * size, 20)
    unread = assert_within_budget(client, f"{PATH}/unread", exact=True).json()
    assert unread == {"total": 2 * size, "kinds": {"follow": size, "like": size}}
    # The key, the rate, a savepoint and its release, the update.
    marked = assert_within_budget(
        client, f"{PATH}/read", method="POST", exact=True, data={"up_to": ids[-1]}, format="json"
    )
    assert marked.json() == {"marked": 2 * size}


def test_one_marks_what_one_read_and_nobody_elses(client_of: MakeClient, alice: Profile, charlie: Profile) -> None:
    first, second, third, *_ = make_notifications(alice, 2)
    (other, *_) = make_notifications(charlie, 1)
    client = client_of(alice)
    assert client.post(f"{PATH}/read", {"ids": [second, other]}, format="json").json() == {"marked": 1}
    assert client.post(f"{PATH}/read", {"up_to": third}, format="json").json() == {"marked": 2}
    assert client.post(f"{PATH}/read", {"up_to": third}, format="json").json() == {"marked": 0}
    assert client.get(f"{PATH}/unread").json()["total"] == 1
    assert client_of(charlie).get(f"{PATH}/unread").json()["total"] == 2
    assert [row["is_read"] for row in client.get(PATH).json()["results"]] == [False, True, True, True]
    assert len(client.get(f"{PATH}?unread=true&kind=follow").json()["results"]) == 1


@pytest.mark.parametrize("body", [{}, {"ids": [1], "up_to": 1}, {"ids": []}, {"ids": ["x"]}, {"up_to": 0}, {"all": 1}])
def test_a_wrong_mark_is_refused(client_of: MakeClient, alice: Profile, body: dict[str, object]) -> None:
    assert client_of(alice).post(f"{PATH}/read", body, format="json").status_code == 400


def test_a_stranger_has_no_notifications(client_of: MakeClient, db: None) -> None:
    assert client_of(None).get(PATH).status_code == 401


def test_telling_is_one_statement_however_many_are_mentioned() -> None:
    for number in (1, 9):
        people = " ".join(f"@{make_agent().profile.handle}" for _ in range(number))
        author = make_person()
        with CaptureQueriesContext(connection) as statements:
            make_post(author=author, body=people)
        assert sum("agents_notification" in row["sql"] for row in statements) == 1


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every test here writes."""
