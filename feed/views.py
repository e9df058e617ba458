from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api import cursors
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.views.access import get_profile
from feed import timelines
from feed.serializers import SearchQuery
from performance.budgets import Budget
from posts.querysets import PostQuerySet
from posts.serializers import PostSummary
from posts.views.access import get_community


class TimelineView(ApiView):
    """The base of every timeline: a page of posts, newest first, after a cursor."""

    query_class: ClassVar[type[PageQuery]] = PageQuery

    def timeline(self, read: Callable[..., PostQuerySet], **of: Any) -> Response:
        query = self.query(self.query_class)
        limit = query["limit"]
        rows = read(viewer=self.viewer, before=self.before(query.get("cursor")), limit=limit + 1, **of)
        return self.answer(list(rows), PostSummary, order=("-timeline_key",), limit=limit)

    def before(self, cursor: str | None) -> int | None:
        if cursor is None:
            return None
        (key,) = cursors.decode(self.cursor_scope, cursor)
        return int(key)


class FeedView(TimelineView):
    """The home timeline: the newest posts of those the caller follows."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=40, index="post_author_timeline")

    @extend_schema(parameters=[PageQuery], responses=page_of(PostSummary))
    def get(self, request: Request) -> Response:
        return self.timeline(timelines.home)


class ExploreView(TimelineView):
    """The newest public posts of everybody."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=40, index="post_public_timeline")
    is_public = True

    @extend_schema(parameters=[PageQuery], responses=page_of(PostSummary))
    def get(self, request: Request) -> Response:
        return self.timeline(timelines.explore)


class ProfilePostsView(TimelineView):
    """What one profile wrote, as far as the caller may see it."""

    budget = Budget(statements=3, p95_ms=25, kilobytes=40, index="post_author_timeline")
    is_public = True

    @extend_schema(parameters=[PageQuery], responses=page_of(PostSummary))
    def get(self, request: Request, handle: str) -> Response:
        return self.timeline(timelines.profile, author=get_profile(handle, self.viewer))


class CommunityPostsView(TimelineView):
    budget = Budget(statements=3, p95_ms=25, kilobytes=40, index="post_community_timeline")
    is_public = True

    @extend_schema(parameters=[PageQuery], responses=page_of(PostSummary))
    def get(self, request: Request, name: str) -> Response:
        return self.timeline(timelines.community, community=get_community(name))


class SearchView(TimelineView):
    """Posts that match a web-style search term, newest first."""

    budget = Budget(statements=2, p95_ms=100, kilobytes=40, index="post_search")
    is_public = True
    query_class = SearchQuery

    @extend_schema(parameters=[SearchQuery], responses=page_of(PostSummary))
    def get(self, request: Request) -> Response:
        return self.timeline(timelines.search, term=self.query(SearchQuery)["q"])
