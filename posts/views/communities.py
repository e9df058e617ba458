from django.db import IntegrityError
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.problems import Conflict
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from performance.budgets import Budget
from posts import reads
from posts.serializers import CommunityCreate, CommunityRead
from posts.services import communities
from posts.views.access import get_community


class CommunitiesView(ApiView):
    """The communities, the busiest first."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=50, index="community_busiest")
    is_public = True
    scopes = {"POST": "social"}

    @extend_schema(parameters=[PageQuery], responses=page_of(CommunityRead))
    def get(self, request: Request) -> HttpResponse:
        limit, posts, key = self.place()
        return self.written_page(reads.communities.rows(posts=posts, key=key, limit=limit + 1), limit=limit)

    @extend_schema(request=CommunityCreate, responses={201: CommunityRead})
    @idempotent
    def post(self, request: Request) -> Response:
        data = self.body(CommunityCreate)
        try:
            community = communities.create_community(creator=self.actor, **data)
        except IntegrityError:
            raise Conflict(f"name: {data['name']} is taken.") from None
        return Response(CommunityRead(community).data, status=201)


class CommunityView(ApiView):
    budget = Budget(statements=2, p95_ms=25, kilobytes=4, index="community_name_lower_unique")
    is_public = True

    @extend_schema(responses=CommunityRead)
    def get(self, request: Request, name: str) -> Response:
        return Response(CommunityRead(get_community(name)).data)
