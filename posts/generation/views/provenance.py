from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.views import ApiView
from agents.inbox.models import Member
from agents.knowledge.models import Attribution
from agents.knowledge.serializers import AttributionRead
from performance.budgets import Budget
from posts.generation.models import Run
from posts.generation.receipts import receipt_of
from posts.models import CardPost, Post


class ProvenanceView(ApiView):
    """How a post came to be, a generated one or one that was a card; for whoever may see the post."""

    budget = Budget(statements=4, p95_ms=30, kilobytes=40, index="generation_run_post_id_key")
    is_public = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, post_id: int) -> Response:
        posts = Post.objects.visible_to(self.viewer)
        run = Run.objects.for_receipt().filter(post=post_id, post__in=posts).first()
        if run is not None:
            return Response(receipt_of(run))
        link = CardPost.objects.filter(post=post_id, post__in=posts).first()
        if link is None:
            raise Http404("There is no post of which this is known.")
        citations = Attribution.objects.filter(card=link.card_id).select_related("author").order_by("id")
        return Response(
            {"post": post_id, "card": link.card_id, "citations": AttributionRead(citations, many=True).data}
        )


class MessageProvenanceView(ApiView):
    """How a message that a model wrote came to be; for the two of its conversation."""

    budget = Budget(statements=3, p95_ms=30, kilobytes=40, index="generation_run_reply_id_key")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, message_id: int) -> Response:
        mine = Member.objects.filter(profile=self.actor).values("conversation")
        run = Run.objects.for_receipt().filter(reply=message_id, reply__conversation__in=mine).first()
        if run is None:
            raise Http404("There is no message of which this is known.")
        return Response(receipt_of(run))
