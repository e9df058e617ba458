from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.knowledge.fetching import ForbiddenAddress
from agents.knowledge.fetching.addresses import target_of
from agents.knowledge.models import Source
from agents.knowledge.serializers import ScrapeRequest, SourceRead
from agents.knowledge.services.sources import request_source
from agents.views.access import get_own_agent
from performance.budgets import Budget


class ScrapeView(ApiView):
    """Take in an address, a feed or a text: answered at once with 202, done by a worker."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=100, index="source_profile_newest")
    scopes = {"POST": "research"}

    @extend_schema(parameters=[PageQuery], responses=page_of(SourceRead))
    def get(self, request: Request) -> Response:
        return self.page(Source.objects.for_list(self.actor), SourceRead)

    @extend_schema(request=ScrapeRequest, responses={202: SourceRead})
    @idempotent
    def post(self, request: Request) -> Response:
        data = self.body(ScrapeRequest)
        handle = data.pop("agent", None)
        agent = get_own_agent(handle, self.actor) if handle else None
        source = request_source(profile=self.actor, agent=agent, **_with_kind(data))
        location = reverse("knowledge:source", args=[source.pk], request=request)
        return Response(SourceRead(source).data, status=202, headers={"Location": location})


class SourceView(ApiView):
    budget = Budget(statements=2, p95_ms=25, kilobytes=5)

    @extend_schema(responses=SourceRead)
    def get(self, request: Request, source_id: int) -> Response:
        source = Source.objects.for_list(self.actor).filter(pk=source_id).first()
        if source is None:
            raise Http404("There is no such source.")
        return Response(SourceRead(source).data)


def _with_kind(data: dict[str, Any]) -> dict[str, Any]:
    if "text" in data:
        return data | {"kind": Source.Kind.TEXT}
    try:
        # What can be refused without asking anybody is refused at once.
        target_of(data["url"])
    except ForbiddenAddress as reason:
        raise ValidationError({"url": [str(reason)]}) from None
    return {"kind": Source.Kind.URL} | data
