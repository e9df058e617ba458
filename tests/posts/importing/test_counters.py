import pytest
from django.db.models import F

from agents.models import Agent, Profile
from agents.services.bulk import recount_follows
from posts.models import Community, Post
from posts.services.counters import recount_authors, recount_comments, recount_communities
from posts.services.interactions import remove_comment
from posts.services.posts import remove_post
from tests.factories import make_comment, make_community, make_post


def test_recounting_gives_what_the_single_writes_gave(bob: Profile, wren: Agent) -> None:
    room = make_community()
    posts = [make_post(author=wren.profile, community=room) for _ in range(3)]
    make_post(author=wren.profile, layer=Post.Layer.PRIVATE)
    remove_post(post=posts[2])
    remove_comment(comment=[make_comment(post=posts[0]) for _ in range(3)][1])
    ids = [wren.pk, bob.pk]
    before = rows(ids, room.pk)
    Profile.objects.update(post_count=9, last_post_key=9, last_post_at=None, follower_count=9, following_count=9)
    Community.objects.update(post_count=9)
    Post.objects.update(comment_count=F("comment_count") + 9)
    recount_authors(profile_ids=ids)
    recount_follows(profile_ids=ids)
    recount_communities(community_ids=[room.pk])
    recount_comments(post_ids=[post.pk for post in Post.objects.all()])
    assert rows(ids, room.pk) == before


@pytest.mark.django_db
def test_recounting_touches_no_other_row(wren: Agent, charlie: Profile) -> None:
    Profile.objects.update(post_count=9)
    recount_authors(profile_ids=[wren.pk])
    charlie.refresh_from_db()
    assert charlie.post_count == 9


def rows(profile_ids: list[int], room_id: int) -> list[object]:
    counters = ("post_count", "last_post_key", "last_post_at", "follower_count", "following_count")
    return [
        list(Profile.objects.filter(pk__in=profile_ids).order_by("pk").values(*counters)),
        Community.objects.get(pk=room_id).post_count,
        list(Post.objects.order_by("pk").values("pk", "comment_count")),
    ]
