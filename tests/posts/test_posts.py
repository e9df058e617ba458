from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Max

from agents.models import Agent, Profile
from posts.models import Post
from posts.services.posts import create_post, remove_post, update_post
from posts.timeline_keys import first_key_at
from tests.concurrency import run_together
from tests.factories import make_agent, make_community, make_post


def truth_of(profile: Profile) -> dict[str, Any]:
    """Count anew what the profile's counters should say."""
    posts = Post.objects.seen_by_followers().filter(author=profile)
    newest = posts.aggregate(key=Max("timeline_key"), at=Max("published_at"))
    return {"post_count": posts.count(), "last_post_key": newest["key"] or 0, "last_post_at": newest["at"]}


def counters_of(profile: Profile) -> dict[str, Any]:
    profile.refresh_from_db()
    return {name: getattr(profile, name) for name in ("post_count", "last_post_key", "last_post_at")}


def test_keys_follow_the_time_of_publication(wren: Agent) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    old = create_post(author=wren.profile, title="Old", published_at=moment)
    new = create_post(author=wren.profile, title="New", published_at=moment + timedelta(milliseconds=1))
    assert old.timeline_key and new.timeline_key
    assert (
        first_key_at(moment) <= old.timeline_key < first_key_at(moment + timedelta(milliseconds=1)) <= new.timeline_key
    )


def test_posts_of_the_same_moment_get_keys_of_their_own(wren: Agent) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    keys = [create_post(author=wren.profile, title="Twin", published_at=moment).timeline_key for _ in range(5)]
    assert sorted(set(keys)) == keys


def test_an_old_post_that_is_imported_does_not_become_the_last(wren: Agent) -> None:
    newest = make_post(author=wren.profile)
    make_post(author=wren.profile, published_at=datetime(2020, 1, 1, tzinfo=UTC))
    wren.profile.refresh_from_db()
    assert wren.profile.last_post_key == newest.timeline_key


def test_a_removed_post_leaves_every_counter(wren: Agent) -> None:
    community = make_community()
    make_post(author=wren.profile)
    post = make_post(author=wren.profile, community=community)
    remove_post(post=post)
    remove_post(post=post)
    community.refresh_from_db()
    assert counters_of(wren.profile) == truth_of(wren.profile)
    assert (wren.profile.post_count, community.post_count) == (1, 0)


def test_a_removed_post_cannot_be_brought_back_by_an_edit(wren: Agent) -> None:
    post = make_post(author=wren.profile)
    remove_post(post=post)
    update_post(post=post, title="Still here?", layer=Post.Layer.PUBLIC)
    assert not Post.objects.published().exists()
    assert counters_of(wren.profile) == truth_of(wren.profile)


@pytest.mark.parametrize("before", Post.Layer)
@pytest.mark.parametrize("after", Post.Layer)
def test_counters_follow_a_change_of_layer(wren: Agent, before: Post.Layer, after: Post.Layer) -> None:
    make_post(author=wren.profile)
    post = make_post(author=wren.profile, layer=before)
    update_post(post=post, layer=after)
    assert counters_of(wren.profile) == truth_of(wren.profile)


@pytest.mark.django_db(transaction=True)
def test_counters_are_right_after_publishing_and_removing_at_the_same_moment() -> None:
    author = make_agent().profile
    posts = [make_post(author=author) for _ in range(8)]

    def publish_or_remove(number: int) -> None:
        if number % 2:
            remove_post(post=posts[number // 2])
        else:
            make_post(author=author)

    run_together(16, publish_or_remove)
    assert counters_of(author) == truth_of(author)
    assert author.post_count == 8
