from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api import cursors
from agents.api.idempotency import idempotent
from agents.api.views import ApiView
from feed import positions
from feed.models import ReadPosition
from feed.serializers import PositionChange, PositionRead
from performance.budgets import Budget

ROUTES = {ReadPosition.Timeline.HOME: "feed:feed", ReadPosition.Timeline.EXPLORE: "feed:explore"}


class PositionView(ApiView):
    """Where the caller left off in a timeline, on whichever device."""

    budget = {
        "GET": Budget(statements=2, p95_ms=25, kilobytes=1, index="read_position_once"),
        "POST": Budget(statements=4, p95_ms=50, kilobytes=1),
    }
    scopes = {"POST": "social"}
    timeline = ReadPosition.Timeline.HOME

    @extend_schema(responses=PositionRead)
    def get(self, request: Request) -> Response:
        return self.answered(positions.position_of(viewer=self.actor, timeline=self.timeline))

    @extend_schema(request=PositionChange, responses=PositionRead)
    @idempotent
    def post(self, request: Request) -> Response:
        post_id = self.body(PositionChange)["post"]
        key = positions.key_of_post(post_id, viewer=self.actor)
        if key is None:
            raise ValidationError({"post": ["There is no such post."]})
        return self.answered(positions.read_up_to(viewer=self.actor, timeline=self.timeline, key=key))

    def answered(self, key: int | None) -> Response:
        # The page after a key that no post has: the next smaller one is where they left off.
        cursor = None if key is None else cursors.encode(reverse(ROUTES[self.timeline]), [key + 1])
        return Response({"timeline": self.timeline, "cursor": cursor})
