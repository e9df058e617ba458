from django.http import Http404, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents import reads
from agents.api import cursors
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.knowledge.models import Attribution, Author, Content, Pattern
from agents.knowledge.serializers import (
    AttributionRead,
    AuthorRead,
    ContentDetail,
    ContentQuery,
    ContentSummary,
    PatternQuery,
    PatternRead,
    SearchQuery,
)
from agents.serializers import ProfileName
from performance.budgets import Budget


class ContentsView(ApiView):
    """The contents that the viewer may see, the newest first."""

    budget = Budget(statements=2, p95_ms=50, kilobytes=200, index="content_newest")
    is_public = True

    @extend_schema(parameters=[ContentQuery], responses=page_of(ContentSummary))
    def get(self, request: Request) -> Response:
        query = self.query(ContentQuery)
        contents = Content.objects.for_list(self.viewer)
        if "platform" in query:
            contents = contents.filter(platform=query["platform"])
        if "agent" in query:
            contents = contents.filter(agent__profile__handle__lower=query["agent"].lower())
        if "q" in query:
            contents = contents.filter(title__icontains=query["q"])
        return self.page(contents, ContentSummary, order=("-scraped_at", "-id"), query_class=ContentQuery)


class ContentView(ApiView):
    budget = Budget(statements=2, p95_ms=25, kilobytes=500)
    is_public = True

    @extend_schema(responses=ContentDetail)
    def get(self, request: Request, content_id: int) -> Response:
        content = Content.objects.for_detail(self.viewer).filter(pk=content_id).first()
        if content is None:
            raise Http404("There is no such content.")
        return Response(ContentDetail(content).data)


class AuthorsView(ApiView):
    budget = Budget(statements=2, p95_ms=50, kilobytes=60, index="author_username_trgm")
    is_public = True

    @extend_schema(parameters=[SearchQuery], responses=page_of(AuthorRead))
    def get(self, request: Request) -> Response:
        query = self.query(SearchQuery)
        authors = Author.objects.matching(query["q"]) if "q" in query else Author.objects.all()
        return self.page(authors.for_list(), AuthorRead, query_class=SearchQuery)


class UsersView(ApiView):
    """People, or those whose handle or name contains a term, the newest first."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=20, index="profile_people_newest")
    is_public = True

    @extend_schema(parameters=[SearchQuery], responses=page_of(ProfileName))
    def get(self, request: Request) -> HttpResponse:
        query = self.query(SearchQuery)
        limit = query["limit"]
        start = cursors.decode(self.cursor_scope, query["cursor"]) if "cursor" in query else cursors.BEFORE_ALL
        rows = reads.people.rows(term=query.get("q"), before=start[0], limit=limit + 1)
        return self.written_page(rows, limit=limit)


class PatternsView(ApiView):
    """Recurring themes, the surest or the newest first."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=60, index="pattern_confidence")
    is_public = True
    orders = {"confidence": ("-confidence_score", "-id"), "newest": ("-discovered_at", "-id")}

    @property
    def cursor_scope(self) -> str:
        return f"{super().cursor_scope}?{self.query(PatternQuery)['order']}"

    @extend_schema(parameters=[PatternQuery], responses=page_of(PatternRead))
    def get(self, request: Request) -> Response:
        order = self.orders[self.query(PatternQuery)["order"]]
        return self.page(Pattern.objects.all(), PatternRead, order=order, query_class=PatternQuery)


class AttributionsView(ApiView):
    """What the viewer quoted, the newest first."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=200, index="attribution_profile_newest")

    @extend_schema(parameters=[PageQuery], responses=page_of(AttributionRead))
    def get(self, request: Request) -> Response:
        return self.page(Attribution.objects.for_list(self.actor), AttributionRead)
