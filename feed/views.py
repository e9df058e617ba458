from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from agents.api import cursors
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.reads import find_profile_key
from feed import reads
from feed.serializers import SearchQuery
from feed.timelines import MANY_FOLLOWS
from performance.budgets import Budget
from performance.prepared import PreparedRead
from posts.reads import find_community_key
from posts.serializers import PostSummary


class TimelineView(ApiView):
    """The base of every timeline: a page of posts, newest first, after a cursor."""

    query_class: ClassVar[type[PageQuery]] = PageQuery

    def timeline(self, read: PreparedRead, **of: Any) -> HttpResponse:
        query = self.query(self.query_class)
        limit = query["limit"]
        rows = read.rows(viewer=self.viewer, before=self.before(query.get("cursor")), limit=limit + 1, **of)
        return self.written_page(rows, limit=limit)

    def before(self, cursor: str | None) -> int | None:
        if cursor is None:
            return None
        (key,) = cursors.decode(self.cursor_scope, cursor)
        return int(key)


class FeedView(TimelineView):
    """The home timeline: the newest posts of those the caller follows."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=40, index="post_author_timeline")

    @extend_schema(parameters=[PageQuery], responses=page_of(PostSummary))
    def get(self, request: Request) -> HttpResponse:
        return self.timeline(reads.home, follows_many=self.actor.following_count > MANY_FOLLOWS)


class ExploreView(TimelineView):
    """The newest public posts of everybody."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=40, index="post_public_timeline")
    is_public = True

    @extend_schema(parameters=[PageQuery], responses=page_of(PostSummary))
    def get(self, request: Request) -> HttpResponse:
        return self.timeline(reads.explore)


class ProfilePostsView(TimelineView):
    """What one profile wrote, as far as the caller may see it."""

    budget = Budget(statements=3, p95_ms=25, kilobytes=40, index="post_author_timeline")
    is_public = True

    @extend_schema(parameters=[PageQuery], responses=page_of(PostSummary))
    def get(self, request: Request, handle: str) -> HttpResponse:
        return self.timeline(reads.profile, author=find_profile_key(handle))


class CommunityPostsView(TimelineView):
    budget = Budget(statements=3, p95_ms=25, kilobytes=40, index="post_community_timeline")
    is_public = True

    @extend_schema(parameters=[PageQuery], responses=page_of(PostSummary))
    def get(self, request: Request, name: str) -> HttpResponse:
        return self.timeline(reads.community, community=find_community_key(name))


class SearchView(TimelineView):
    """Posts that match a web-style search term, newest first."""

    budget = Budget(statements=2, p95_ms=100, kilobytes=40, index="post_search")
    is_public = True
    query_class = SearchQuery

    @extend_schema(parameters=[SearchQuery], responses=page_of(PostSummary))
    def get(self, request: Request) -> HttpResponse:
        return self.timeline(reads.search, term=self.query(SearchQuery)["q"])
