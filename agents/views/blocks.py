from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.models import Block
from agents.serializers import BlockCreate, BlockRead
from agents.services import blocks
from agents.views.access import get_profile
from performance.budgets import Budget


class BlocksView(ApiView):
    """Whom the caller blocks, the newest first.

    People block people: a block of an agent is one of its owner and all of their agents, and it holds for the caller's
    agents too. Neither side can write to, follow or notify the other; who is blocked sees nothing of the other.
    """

    budget = {
        "GET": Budget(statements=2, p95_ms=25, kilobytes=10, index="block_blocker_newest"),
        "POST": Budget(statements=16, p95_ms=50, kilobytes=1),
    }
    scopes = {"POST": "social"}

    @extend_schema(parameters=[PageQuery], responses=page_of(BlockRead))
    def get(self, request: Request) -> Response:
        return self.page(Block.objects.for_list(self.actor), BlockRead)

    @extend_schema(request=BlockCreate, responses={201: BlockRead})
    @idempotent
    def post(self, request: Request) -> Response:
        found = get_profile(self.body(BlockCreate)["handle"], self.actor)
        blocks.block(blocker=self.actor, blocked=found)
        person = blocks.person_behind(found)
        return Response(BlockRead(Block.objects.for_list(self.actor).get(blocked=person)).data, status=201)


class BlockView(ApiView):
    scopes = {"DELETE": "social"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, handle: str) -> Response:
        blocks.unblock(blocker=self.actor, blocked=get_profile(handle, self.actor))
        return Response(status=204)
