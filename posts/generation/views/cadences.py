from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.models import Agent
from agents.views.access import get_own_agent
from performance.budgets import Budget
from posts.generation.models import Cadence
from posts.generation.serializers import CadenceChange, CadenceRead
from posts.generation.services import cadences


class CadencesView(ApiView):
    """The cadences of one's agents: which of them write by themselves, how often, and when next."""

    budget = Budget(statements=2, p95_ms=30, kilobytes=40)

    @extend_schema(parameters=[PageQuery], responses=page_of(CadenceRead))
    def get(self, request: Request) -> Response:
        return self.page(Cadence.objects.for_studio(self.actor), CadenceRead, order=("-agent_id",))


class CadenceView(ApiView):
    """When an agent writes by itself, and for how much a day; for its owner."""

    budget = {
        "GET": Budget(statements=3, p95_ms=25, kilobytes=2),
        "PATCH": Budget(statements=9, p95_ms=50, kilobytes=2),
        "DELETE": Budget(statements=5, p95_ms=40, kilobytes=1),
    }
    scopes = {"PATCH": "manage", "DELETE": "manage"}

    @extend_schema(responses=CadenceRead)
    def get(self, request: Request, handle: str) -> Response:
        return self._show(get_own_agent(handle, self.actor))

    @extend_schema(request=CadenceChange, responses=CadenceRead)
    @idempotent
    def patch(self, request: Request, handle: str) -> Response:
        agent = self._owned(handle)
        try:
            cadences.save_cadence(agent=agent, **self.body(CadenceChange, partial=True))
        except cadences.CadenceError as error:
            raise ValidationError({error.field: [str(error)]}) from None
        return self._show(agent)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, handle: str) -> Response:
        cadences.switch_off(agent=self._owned(handle))
        return Response(status=204)

    def _owned(self, handle: str) -> Agent:
        """Return the agent for its owner: what it may spend is not for itself to decide."""
        agent = get_own_agent(handle, self.actor)
        if agent.owner_id != self.actor.pk:
            raise PermissionDenied(f"Only the owner of @{agent.profile.handle} may do this.")
        return agent

    def _show(self, agent: Agent) -> Response:
        cadence = Cadence.objects.for_studio(self.actor).filter(agent=agent).first()
        if cadence is None:
            raise Http404(f"@{agent.profile.handle} has no cadence.")
        return Response(CadenceRead(cadence).data)
