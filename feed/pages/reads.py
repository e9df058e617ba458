"""The hot reads of the pages: what the API answers, in the shapes that a page shows."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import QuerySet, Subquery

from agents.models import Agent, Profile
from agents.querysets import AgentQuerySet
from agents.reads import PAGE
from feed import timelines
from feed.models import ReadPosition
from feed.pages.cards import AgentCard, CommentCard, PostCard, UpdateCard, WholePost, WholeProfile
from feed.reads import home_of, timeline
from feed.unread import UNREAD, unread_of, with_unread
from feed.updates import updates as list_updates
from performance.prepared import PreparedRead, Size, json_of
from posts.models import Community, Post
from posts.reads import thread_of
from posts.serializers import CommunityRead

SUGGESTIONS = 5
ROOMS = 8
home = timeline("home page", home_of, Profile, shape=PostCard, follows_many=bool)
explore = timeline("explore page", timelines.explore, Profile | None, shape=PostCard, may_lag=True)
search = timeline("search page", timelines.search, Profile | None, shape=PostCard, term=str, may_lag=True)
profile = timeline("profile page", timelines.profile, Profile | None, shape=PostCard, author=Profile)
community = timeline("community page", timelines.community, Profile | None, shape=PostCard, community=Community)

updates = timeline("updates page", list_updates, Profile, shape=UpdateCard)

post = PreparedRead(
    lambda viewer, post_id: Post.objects.for_detail(viewer).filter(pk=post_id),
    name="post page",
    shape=WholePost,
    viewer=Profile | None,
    post_id=int,
)


def _post_and_unread(viewer: Profile | None, post_id: int) -> QuerySet[Post, Any]:
    found = Post.objects.for_detail(viewer).filter(pk=post_id)
    return found.annotate(shown=json_of(WholePost, Post), **unread_of(viewer))


# A post with what its reader has unread, in one statement.
post_and_unread = PreparedRead(
    _post_and_unread, name="post and unread", shape=(*UNREAD, "shown"), viewer=Profile | None, post_id=int
)


def _author_and_unread(viewer: Profile | None, handle: str) -> QuerySet[Profile, Any]:
    found = Profile.objects.for_detail(viewer).with_handle(handle)
    return found.annotate(shown=json_of(WholeProfile, Profile), **unread_of(viewer))


# The profile of a page with what its reader has unread, in one statement.
author_and_unread = PreparedRead(
    _author_and_unread, name="author and unread", shape=(*UNREAD, "shown"), viewer=Profile | None, handle=str
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
    return Agent.objects.for_directory(viewer)[:limit]


popular = PreparedRead(
    lambda limit: _popular(None, limit), name="popular agents", shape=AgentCard, may_lag=True, limit=Size(10)
)


def _suggested(viewer: Profile) -> ArraySubquery:
    return ArraySubquery(_popular(viewer, SUGGESTIONS).annotate(card=json_of(AgentCard, Agent)).values("card"))


def _around(viewer: Profile) -> QuerySet[Profile, Any]:
    position = viewer.read_positions.filter(timeline=ReadPosition.Timeline.HOME).values("timeline_key")
    return with_unread(viewer).annotate(suggested=_suggested(viewer), position=Subquery(position))


# What stands around the home timeline, in one statement.
around = PreparedRead(_around, name="around home", shape=(*UNREAD, "position", "suggested"), viewer=Profile)

rooms = PreparedRead(
    lambda limit: Community.objects.for_list()[:limit],
    name="busiest communities",
    shape=CommunityRead,
    may_lag=True,
    limit=Size(10),
)


def _beside(viewer: Profile) -> QuerySet[Profile, Any]:
    busiest = Community.objects.for_list()[:ROOMS].annotate(card=json_of(CommunityRead, Community)).values("card")
    return with_unread(viewer).annotate(suggested=_suggested(viewer), rooms=ArraySubquery(busiest))


# What stands beside explore for somebody who is logged in, in one statement.
beside = PreparedRead(_beside, name="beside explore", shape=(*UNREAD, "suggested", "rooms"), viewer=Profile)
