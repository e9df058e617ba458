from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, Max, Q
from django.db.models.functions import Coalesce

from agents.models import Agent, Follow, Profile, User
from agents.services.agents import create_agent
from agents.services.follows import follow
from agents.services.people import create_person
from posts.load import tables
from posts.load.skew import share_out
from posts.models import Community, Like, Post
from posts.services.communities import create_community
from posts.services.interactions import like_post
from posts.services.posts import create_post

pytestmark = pytest.mark.django_db

SIZE = {"users": 80, "agents": 20, "posts": 400, "follows": 600, "likes": 900}


def load(**options: Any) -> str:
    out = StringIO()
    call_command("seed_load", stdout=out, **{**SIZE, **options})
    return out.getvalue()


def contents() -> list[list[Any]]:
    """Read what was loaded, without the ids, which depend on what was there before."""
    return [
        list(Profile.objects.order_by("id").values_list("kind", "display_name", "follower_count", "post_count")),
        list(Post.objects.order_by("id").values_list("author__display_name", "layer", "title", "body", "like_count")),
        list(Follow.objects.order_by("id").values_list("follower__display_name", "author__display_name")),
        list(Like.objects.order_by("id").values_list("profile__display_name", "post__title")),
    ]


def definitions() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " UNION SELECT conname, conrelid::regclass || pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype <> 'n' ORDER BY 1, 2"
        )
        return cursor.fetchall()


def test_it_writes_exactly_as_many_rows_as_asked_for() -> None:
    load()
    counts = (User, Agent, Post, Follow, Like)
    assert [model._default_manager.count() for model in counts] == [80, 20, 400, 600, 900]


def test_every_counter_is_what_counting_gives() -> None:
    load()
    shown = Q(posts__timeline_key__isnull=False, posts__layer__lt=Post.Layer.PRIVATE)
    for profile in Profile.objects.annotate(
        shown=Count("posts", filter=shown),
        newest_key=Coalesce(Max("posts__timeline_key", filter=shown), 0),
        newest_at=Max("posts__published_at", filter=shown),
    ):
        assert profile.post_count == profile.shown
        assert profile.last_post_key == profile.newest_key
        assert profile.last_post_at == profile.newest_at
        assert profile.following_count == profile.following.count()
        assert profile.follower_count == profile.followers.count()
    for post in Post.objects.annotate(likers=Count("likes")):
        assert post.like_count == post.likers
    for room in Community.objects.annotate(shown=Count("posts", filter=Q(posts__timeline_key__isnull=False))):
        assert room.post_count == room.shown


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    load(seed=7)
    first = contents()
    load(seed=7, reset=True)
    assert contents() == first
    load(seed=8, reset=True)
    assert contents() != first


def test_it_refuses_to_load_twice_without_reset() -> None:
    load()
    with pytest.raises(CommandError, match="--reset"):
        load()
    assert Post.objects.count() == 400


def test_reset_leaves_everything_else_as_it_was() -> None:
    alice, bob = (create_person(username=name, password=None) for name in ("alice", "bob"))
    own = create_post(author=alice, title="Hers")
    follow(follower=bob, author=alice)
    agent = create_agent(owner=alice, handle="load-999999")
    load()
    synthetic = Profile.objects.get(handle=f"load-{Agent.objects.order_by('-pk')[0].pk}")
    room = create_community(creator=alice, name="hers")
    follow(follower=bob, author=synthetic)
    like_post(profile=bob, post=Post.objects.filter(author=synthetic)[0])
    load(reset=True, **dict.fromkeys(["posts", "follows", "likes"], 0), users=1, agents=1)
    bob.refresh_from_db()
    assert list(Post.objects.all()) == [own]
    assert bob.following_count == bob.following.count() == 1
    assert Agent.objects.filter(pk=agent.pk).exists()
    assert Community.objects.filter(pk=room.pk).exists()
    assert not Like.objects.exists()


def test_what_is_written_after_a_load_gets_keys_of_its_own() -> None:
    load()
    alice = create_person(username="alice", password=None)
    post = create_post(author=alice, title="After the load")
    like_post(profile=alice, post=post)
    assert Post.objects.order_by("-timeline_key").exclude(timeline_key=None)[0] == post


def test_indexes_and_constraints_dropped_for_the_load_come_back_identical(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "REBUILD_FROM_ROWS", 1)
    before = definitions()
    load()
    assert definitions() == before


@pytest.mark.parametrize(
    "options", [{"follows": 100_000}, {"likes": 10_000_000}, {"users": 0}, {"posts": -1}], ids=lambda value: str(value)
)
def test_sizes_that_cannot_be_are_one_clear_sentence(options: dict[str, int]) -> None:
    with pytest.raises(CommandError):
        load(**options)
    assert not Profile.objects.exists()


def test_sharing_out_is_exact_and_respects_the_cap() -> None:
    shares = share_out(100, [1000.0, 1.0, 1.0, 0.0, 1.0, 1.0], cap=30)
    assert sum(shares) == 100
    assert max(shares) == 30
    assert shares[3] == 0
    with pytest.raises(ValueError, match="more than 10 each"):
        share_out(100, [1.0] * 9, cap=10)


@pytest.mark.django_db(transaction=True)
def test_statistics_may_take_longer_than_a_request() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 1")
        tables.settle([Post, Profile])
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] == "30s"
