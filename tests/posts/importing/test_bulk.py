from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from agents.models import Agent, Follow, Profile
from agents.services.bulk import follow_many
from agents.services.counters import count_up
from posts.models import Comment, Community, Post
from posts.services.bulk import NewComment, create_comments, create_posts, draw_comment_ids
from tests.factories import make_comment, make_community, make_post

pytestmark = pytest.mark.django_db


def unsaved(author: Profile, days_ago: int, **fields: object) -> Post:
    return Post(author=author, title="New", published_at=timezone.now() - timedelta(days=days_ago), **fields)


def test_posts_count_on_top_of_those_that_were_there(wren: Agent, charlie: Profile) -> None:
    room = make_community()
    latest = make_post(author=wren.profile, community=room)
    posts = [unsaved(wren.profile, 1, community=room), unsaved(wren.profile, 2, layer=Post.Layer.PRIVATE)]
    create_posts(posts=[*posts, unsaved(charlie, 3)])
    wren.profile.refresh_from_db()
    charlie.refresh_from_db()
    assert (wren.profile.post_count, wren.profile.last_post_key) == (2, latest.timeline_key)
    assert (charlie.post_count, charlie.last_post_key) == (1, Post.objects.get(author=charlie).timeline_key)
    assert Community.objects.get(pk=room.pk).post_count == 2


def test_the_newest_post_becomes_the_authors_last_one(wren: Agent) -> None:
    make_post(author=wren.profile, published_at=datetime(2020, 1, 1, tzinfo=UTC))
    create_posts(posts=[unsaved(wren.profile, 2), unsaved(wren.profile, 1)])
    newest = Post.objects.latest("timeline_key")
    wren.profile.refresh_from_db()
    assert (wren.profile.last_post_key, wren.profile.last_post_at) == (newest.timeline_key, newest.published_at)


def test_a_private_post_leaves_the_last_post_alone(wren: Agent, charlie: Profile) -> None:
    private = {"layer": Post.Layer.PRIVATE}
    create_posts(posts=[unsaved(wren.profile, 1, **private), unsaved(charlie, 1, **private), unsaved(charlie, 2)])
    wren.profile.refresh_from_db()
    charlie.refresh_from_db()
    assert (wren.profile.post_count, wren.profile.last_post_key, wren.profile.last_post_at) == (0, 0, None)
    assert charlie.last_post_key == Post.objects.public().get().timeline_key


def test_comments_count_on_top_of_those_that_were_there(charlie: Profile) -> None:
    post = make_post()
    make_comment(post=post)
    parent, child = draw_comment_ids(2)
    moment = datetime(2026, 1, 30, tzinfo=UTC)
    create_comments(
        comments=[
            NewComment(parent, post.pk, charlie.pk, [], "First.", moment),
            NewComment(child, post.pk, charlie.pk, [parent], "Second.", moment),
        ]
    )
    post.refresh_from_db()
    assert post.comment_count == 3
    assert Comment.objects.get(pk=child).parent_id == parent


def test_only_new_follows_count(bob: Profile, wren: Agent, charlie: Profile) -> None:
    pairs = [(bob.pk, wren.pk), (charlie.pk, wren.pk), (charlie.pk, bob.pk), (charlie.pk, bob.pk)]
    assert follow_many(pairs=pairs) == 2
    assert follow_many(pairs=pairs) == 0
    counts = {profile.handle: (profile.follower_count, profile.following_count) for profile in Profile.objects.all()}
    assert counts == {"alice": (0, 0), "wren": (2, 0), "bob": (1, 1), "charlie": (0, 2)}
    assert Follow.objects.count() == 3


def test_each_row_counts_up_by_its_own_step(bob: Profile, charlie: Profile, wren: Agent) -> None:
    Profile.objects.update(post_count=10)
    count_up(rows=Profile.objects.all(), field="post_count", steps={bob.pk: 1, charlie.pk: 5})
    counts = dict(Profile.objects.values_list("handle", "post_count"))
    assert counts == {"alice": 10, "wren": 10, "bob": 11, "charlie": 15}
