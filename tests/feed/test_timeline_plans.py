from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from agents.models import Profile
from feed import timelines
from posts.load.network import Size, draw
from posts.load.reset import remove_load
from posts.load.rows import TABLES, write
from posts.load.tables import reserve, settle
from posts.models import Community, Post
from posts.timeline_keys import SEQUENCE
from tests.plans import Plan, plan_of

LARGE = Size(users=1500, agents=500, posts=20_000, follows=30_000, likes=20_000)
# The tables that grow without end; a short list of rooms or profiles may well be read whole.
GROWING = {"posts_post", "agents_follow", "posts_like", "posts_share"}

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("timeline plans")]


@pytest.fixture(scope="module", autouse=True)
def large_network(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Load a network large enough for the planner to mean what it says; it is gone after this module."""
    with django_db_blocker.unblock():
        remove_load()
        write(draw(size=LARGE, seed=1, first_sequence=reserve(SEQUENCE, LARGE.posts)))
        settle(TABLES)
        yield
        remove_load()


@pytest.fixture
def middle() -> int:
    keys = Post.objects.published().order_by("timeline_key").values_list("timeline_key", flat=True)
    return int(keys[LARGE.posts // 2] or 0)


def viewer_following(*, at_least: int) -> Profile:
    return Profile.objects.filter(following_count__gte=at_least).order_by("following_count")[0]


def assert_reads(plan: Plan, *indexes: str) -> None:
    assert set(indexes) <= plan.indexes, plan
    assert not plan.sequential & GROWING, plan


def test_the_first_page_of_home_picks_authors_by_their_last_post() -> None:
    plan = plan_of(timelines.home(viewer=viewer_following(at_least=20), limit=20))
    assert_reads(plan, "follow_once", "post_author_timeline", "posts_post_timeline_key_key")
    assert "post_followers_timeline" not in plan.indexes


def test_deeper_pages_of_home_probe_each_author(middle: int) -> None:
    plan = plan_of(timelines.home(viewer=viewer_following(at_least=20), before=middle, limit=20))
    assert_reads(plan, "follow_once", "post_author_timeline", "posts_post_timeline_key_key")
    assert "agents_profile" not in plan.sequential


@pytest.mark.parametrize("is_deep", [False, True])
def test_home_of_those_who_follow_many_reads_the_window(is_deep: bool, middle: int) -> None:
    viewer = viewer_following(at_least=timelines.MANY_FOLLOWS + 1)
    plan = plan_of(timelines.home(viewer=viewer, before=middle if is_deep else None, limit=20))
    assert_reads(plan, "post_followers_timeline", "follow_once", "post_author_timeline", "posts_post_timeline_key_key")


@pytest.mark.parametrize("is_deep", [False, True])
def test_explore_reads_the_public_timeline(is_deep: bool, middle: int) -> None:
    for viewer in (None, viewer_following(at_least=20)):
        plan = plan_of(timelines.explore(viewer=viewer, before=middle if is_deep else None, limit=20))
        assert_reads(plan, "post_public_timeline", "posts_post_timeline_key_key")


@pytest.mark.parametrize("order", ["post_count", "-post_count"])
@pytest.mark.parametrize("is_deep", [False, True])
def test_a_profile_reads_its_author_timeline_however_busy(is_deep: bool, order: str, middle: int) -> None:
    author = Profile.objects.filter(post_count__gt=0).order_by(order)[0]
    for viewer in (None, author, viewer_following(at_least=20)):
        plan = plan_of(timelines.profile(author=author, viewer=viewer, before=middle if is_deep else None, limit=20))
        assert_reads(plan, "post_author_timeline", "posts_post_timeline_key_key")


@pytest.mark.parametrize("order", ["post_count", "-post_count"])
@pytest.mark.parametrize("is_deep", [False, True])
def test_a_community_reads_its_own_timeline_however_busy(is_deep: bool, order: str, middle: int) -> None:
    room = Community.objects.filter(post_count__gt=0).order_by(order)[0]
    plan = plan_of(timelines.community(community=room, viewer=None, before=middle if is_deep else None, limit=20))
    assert_reads(plan, "post_community_timeline", "posts_post_timeline_key_key")


@pytest.mark.parametrize("term", ["entropy", "river stone", "wordthatnobodyuses"])
@pytest.mark.parametrize("is_deep", [False, True])
def test_a_search_reads_the_full_text_index_however_rare_the_word(is_deep: bool, term: str, middle: int) -> None:
    plan = plan_of(timelines.search(term=term, viewer=None, before=middle if is_deep else None, limit=20))
    assert_reads(plan, "post_search", "posts_post_timeline_key_key")


def test_a_busy_author_or_community_is_not_searched_in_the_timeline_of_everyone(middle: int) -> None:
    # What the planner thinks of index-only scans on a table that was not vacuumed for long.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexonlyscan = off")
    author = Profile.objects.order_by("-post_count")[0]
    room = Community.objects.order_by("-post_count")[0]
    for before in (None, middle):
        for viewer in (None, author):
            plan = plan_of(timelines.profile(author=author, viewer=viewer, before=before, limit=20))
            assert_reads(plan, "post_author_timeline")
        assert_reads(
            plan_of(timelines.community(community=room, viewer=None, before=before, limit=20)),
            "post_community_timeline",
        )
