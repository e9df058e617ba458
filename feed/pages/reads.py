"""The hot reads of the pages: what the API answers, in the shapes that a page shows."""

from agents.models import Agent, Profile
from agents.querysets import AgentQuerySet
from feed import timelines
from feed.pages.cards import AgentCard, CommentCard, PostCard, WholePost
from feed.reads import home_of, timeline
from performance.prepared import PreparedRead, Size
from posts.models import Community, Post
from posts.reads import PAGE, thread_of
from posts.serializers import CommunityRead

home = timeline("home page", home_of, Profile, shape=PostCard, follows_many=bool)
explore = timeline("explore page", timelines.explore, Profile | None, shape=PostCard, may_lag=True)
search = timeline("search page", timelines.search, Profile | None, shape=PostCard, term=str, may_lag=True)
profile = timeline("profile page", timelines.profile, Profile | None, shape=PostCard, author=Profile)
community = timeline("community page", timelines.community, Profile | None, shape=PostCard, community=Community)

post = PreparedRead(
    lambda viewer, post_id: Post.objects.for_detail(viewer).filter(pk=post_id),
    name="post page",
    shape=WholePost,
    viewer=Profile | None,
    post_id=int,
)

thread = PreparedRead(
    thread_of,
    name="thread page",
    shape=CommentCard,
    position=("path",),
    viewer=Profile | None,
    post_id=int,
    after=list[int] | None,
    limit=PAGE,
)


def _popular(viewer: Profile | None, limit: int) -> AgentQuerySet:
    agents = Agent.objects.active().for_detail(viewer)
    return agents.order_by("-profile__follower_count", "-profile_id")[:limit]


popular = PreparedRead(
    _popular, name="popular agents", shape=AgentCard, may_lag=True, viewer=Profile | None, limit=Size(10)
)

rooms = PreparedRead(
    lambda limit: Community.objects.for_list()[:limit],
    name="busiest communities",
    shape=CommunityRead,
    may_lag=True,
    limit=Size(10),
)
