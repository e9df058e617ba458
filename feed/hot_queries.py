"""The timelines and calendars, each for the reader, author or owner who makes it hardest."""

from datetime import timedelta

from django.utils import timezone

from agents.models import Profile
from feed import timelines, updates
from feed.live.looking import news
from feed.models import ReadPosition
from feed.unread import with_unread
from performance.hot_queries import hot_query
from posts.models import Community
from posts.publishing.models import AnalyticsSummary, Publication, SocialAccount
from posts.querysets import PostQuerySet


def reader(*, follows: int) -> Profile:
    """Find the profile that follows as many as possible, up to a limit: plans differ by how many it follows."""
    return Profile.objects.filter(following_count__lte=follows).order_by("-following_count", "id")[:1].get()


def home(*, follows: int, before: int | None = None) -> PostQuerySet:
    return timelines.home(viewer=reader(follows=follows), before=before, limit=20)


# A place in the middle of the timeline.
def middle() -> int:
    newest = timelines.explore(viewer=None, limit=1).get()
    assert newest.timeline_key
    return newest.timeline_key - 1


def busiest_author() -> Profile:
    return Profile.objects.order_by("-post_count", "id")[:1].get()


def busiest_community() -> Community:
    return Community.objects.order_by("-post_count", "id")[:1].get()


def publisher() -> Profile:
    return Publication.objects.select_related("owner").order_by("-id")[:1].get().owner


hot_query("home", index="post_author_timeline", build=lambda: home(follows=timelines.MANY_FOLLOWS))
hot_query(
    "home, deeper", index="post_author_timeline", build=lambda: home(follows=timelines.MANY_FOLLOWS, before=middle())
)
hot_query("explore", index="post_public_timeline", build=lambda: timelines.explore(viewer=None, limit=20))
hot_query(
    "posts of a profile",
    index="post_author_timeline",
    build=lambda: timelines.profile(author=busiest_author(), viewer=reader(follows=40), limit=20),
)
hot_query(
    "posts of a community",
    index="post_community_timeline",
    build=lambda: timelines.community(community=busiest_community(), viewer=None, limit=20),
)
hot_query("search", index="post_search", build=lambda: timelines.search(term="lantern", viewer=None, limit=20))
hot_query(
    "updates",
    index=("post_author_updates", "update_read_once"),
    build=lambda: updates.updates(viewer=reader(follows=timelines.MANY_FOLLOWS), limit=20),
)
hot_query(
    "read position",
    index="read_position_once",
    build=lambda: ReadPosition.objects.filter(reader=reader(follows=40), timeline="home"),
)
hot_query(
    "unread counts",
    index=("notification_unread", "member_unread", "post_author_updates"),
    build=lambda: with_unread(reader(follows=timelines.MANY_FOLLOWS)),
)
hot_query(
    "news",
    index=("notification_newest", "post_followers_timeline"),
    build=lambda: news(viewer=reader(follows=timelines.MANY_FOLLOWS), notification=0, post=middle()),
)
hot_query(
    "publication",
    index="publishing_publication_pkey",
    build=lambda: Publication.objects.for_detail(publisher()).filter(pk=Publication.objects.latest("id").pk),
)
hot_query(
    "accounts of a person",
    index="social_account_owner_newest",
    build=lambda: SocialAccount.objects.for_list(publisher())[:20],
)
hot_query(
    "days of a publisher",
    index="analytics_summary_owner_day",
    build=lambda: AnalyticsSummary.objects.filter(
        owner=publisher(), day__gte=timezone.now().date() - timedelta(days=30)
    ).order_by("-day"),
)
