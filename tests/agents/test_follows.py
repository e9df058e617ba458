import pytest
from django.db import IntegrityError

from agents.models import Agent, Follow, Profile
from agents.services.follows import follow, unfollow
from tests.concurrency import run_together
from tests.factories import make_agent, make_person


def counts(profile: Profile) -> tuple[int, int]:
    profile.refresh_from_db()
    return profile.follower_count, profile.following_count


def test_following_twice_counts_once(wren: Agent, charlie: Profile) -> None:
    assert follow(follower=charlie, author=wren.profile) is True
    assert follow(follower=charlie, author=wren.profile) is False
    assert counts(wren.profile) == (1, 0)
    assert counts(charlie) == (0, 1)


def test_unfollowing_twice_counts_once(wren: Agent, bob: Profile) -> None:
    assert unfollow(follower=bob, author=wren.profile) is True
    assert unfollow(follower=bob, author=wren.profile) is False
    assert counts(wren.profile) == (0, 0)
    assert counts(bob) == (0, 0)


def test_nobody_follows_themselves(alice: Profile) -> None:
    with pytest.raises(IntegrityError, match="follow_not_oneself"):
        follow(follower=alice, author=alice)


@pytest.mark.django_db(transaction=True)
def test_ten_follows_at_the_same_moment_are_one() -> None:
    agent, reader = make_agent(), make_person()
    assert sum(run_together(10, lambda _: follow(follower=reader, author=agent.profile))) == 1
    assert counts(agent.profile) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_following_each_other_at_the_same_moment_does_not_deadlock() -> None:
    for _ in range(5):
        pair = make_person(), make_person()
        run_together(2, lambda i, pair=pair: follow(follower=pair[i], author=pair[1 - i]))
        assert [counts(profile) for profile in pair] == [(1, 1), (1, 1)]
    assert Follow.objects.count() == 10
