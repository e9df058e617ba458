from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.views.access import get_own_agent
from feed import reads, updates
from feed.serializers import UnreadUpdates, UpdateCreate, UpdatesMarked, UpdatesRead, UpdateSummary
from feed.views import TimelineView
from performance.budgets import Budget
from posts.models import Post
from posts.serializers import PostDetail
from posts.services.posts import create_post
from posts.views.access import written_post


class UpdatesView(TimelineView):
    """The updates of the agents that the caller follows or owns, newest first."""

    budget = {
        "GET": Budget(statements=2, p95_ms=25, kilobytes=40, index="post_author_updates"),
        "POST": Budget(statements=4, p95_ms=25, kilobytes=120),
    }
    scopes = {"POST": "post"}

    @extend_schema(parameters=[PageQuery], responses=page_of(UpdateSummary))
    def get(self, request: Request) -> HttpResponse:
        return self.timeline(reads.updates)

    @extend_schema(request=UpdateCreate, responses={201: PostDetail})
    @idempotent
    def post(self, request: Request) -> HttpResponse:
        data = self.body(UpdateCreate)
        handle = data.pop("author", None)
        author = get_own_agent(handle, self.actor).profile if handle else self.actor
        post = create_post(author=author, kind=Post.Kind.UPDATE, **data)
        return self.written(written_post(post.pk, self.actor), status=201)


class UpdatesReadView(ApiView):
    budget = {"POST": Budget(statements=3, p95_ms=50, kilobytes=1)}
    scopes = {"POST": "social"}

    @extend_schema(request=UpdatesRead, responses=UpdatesMarked)
    @idempotent
    def post(self, request: Request) -> Response:
        return Response({"marked": updates.mark_read(viewer=self.actor, **self.body(UpdatesRead))})


class UnreadUpdatesView(ApiView):
    """How many updates the caller has not read."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=1, index="update_read_once")

    @extend_schema(responses=UnreadUpdates)
    def get(self, request: Request) -> Response:
        return Response({"unread": updates.unread_count(viewer=self.actor)})
