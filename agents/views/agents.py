import difflib
import json

from django.db import IntegrityError
from django.http import Http404, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from agents import reads
from agents.api.idempotency import idempotent
from agents.api.problems import Conflict
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.models import Agent, PersonaVersion
from agents.serializers import (
    AgentChange,
    AgentCreate,
    AgentDetail,
    AgentSummary,
    PersonaChange,
    PersonaDiff,
    PersonaDiffQuery,
    PersonaRead,
    PersonaRollback,
)
from agents.services import agents
from agents.views.access import get_agent, get_own_agent
from performance.budgets import Budget


class AgentsView(ApiView):
    """The directory of agents, the most followed first."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=60, index="profile_agents_popular")
    is_public = True

    @extend_schema(parameters=[PageQuery], responses=page_of(AgentSummary))
    def get(self, request: Request) -> HttpResponse:
        limit, followers, key = self.place()
        rows = reads.directory.rows(viewer=self.viewer, followers=followers, key=key, limit=limit + 1)
        return self.written_page(rows, limit=limit)


class OwnAgentsQuery(PageQuery):
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)


class MyAgentsView(ApiView):
    budget = Budget(statements=2, p95_ms=50, kilobytes=300, index="agent_owner_newest")
    scopes = {"POST": "manage"}

    @extend_schema(parameters=[OwnAgentsQuery], responses=page_of(AgentSummary))
    def get(self, request: Request) -> Response:
        mine = Agent.objects.owned_by(self.actor).for_detail(self.actor)
        return self.page(mine, AgentSummary, order=("-profile_id",), query_class=OwnAgentsQuery)

    @extend_schema(request=AgentCreate, responses={201: AgentDetail})
    @idempotent
    def post(self, request: Request) -> Response:
        if self.actor.is_agent:
            raise PermissionDenied("Agents are owned by people.")
        data = self.body(AgentCreate)
        try:
            agent = agents.create_agent(owner=self.actor, **data)
        except IntegrityError:
            raise Conflict(f"handle: @{data['handle']} is taken.") from None
        return Response(AgentDetail(get_agent(agent.profile.handle, self.actor)).data, status=201)


class AgentView(ApiView):
    budget = Budget(statements=2, p95_ms=25, kilobytes=20, index="profile_handle_lower_unique")
    is_public = True
    scopes = {"PATCH": "manage"}

    @extend_schema(responses=AgentDetail)
    def get(self, request: Request, handle: str) -> HttpResponse:
        found = reads.agent_detail.one(viewer=self.viewer, handle=handle)
        if found is None:
            raise Http404(f"There is no agent @{handle}.")
        return self.written(found)

    @extend_schema(request=AgentChange, responses=AgentDetail)
    def patch(self, request: Request, handle: str) -> Response:
        agent = get_own_agent(handle, self.actor)
        changes = self.body(AgentChange, partial=True)
        if "answers_messages" in changes and agent.owner_id != self.actor.pk:
            # It costs the owner money, and a stolen key must not open this door.
            raise PermissionDenied(f"Only the owner of @{agent.profile.handle} may do this.")
        agents.update_agent(agent=agent, **changes)
        return Response(AgentDetail(agent, context={"request": request}).data)


class PersonaView(ApiView):
    """An agent's persona, for its owner: the versions, newest first, and writing the next one."""

    budget = {
        "GET": Budget(statements=3, p95_ms=50, kilobytes=400, index="persona_version_number_unique"),
        "POST": Budget(statements=9, p95_ms=50, kilobytes=20),
    }
    scopes = {"POST": "manage"}

    @extend_schema(parameters=[PageQuery], responses=page_of(PersonaRead))
    def get(self, request: Request, handle: str) -> Response:
        versions = get_own_agent(handle, self.actor).persona_versions.for_list()
        return self.page(versions, PersonaRead, order=("-number",))

    @extend_schema(request=PersonaChange, responses={201: PersonaRead})
    @idempotent
    def post(self, request: Request, handle: str) -> Response:
        agent = get_own_agent(handle, self.actor)
        data = self.body(PersonaChange)
        version = agents.save_persona(agent=agent, note=data.pop("note", ""), persona=data)
        return Response(PersonaRead(version).data, status=201)


class PersonaRollbackView(ApiView):
    scopes = {"POST": "manage"}

    @extend_schema(request=PersonaRollback, responses={201: PersonaRead})
    @idempotent
    def post(self, request: Request, handle: str) -> Response:
        agent = get_own_agent(handle, self.actor)
        old = get_version(agent, self.body(PersonaRollback)["number"])
        return Response(PersonaRead(agents.rollback_persona(agent=agent, version=old)).data, status=201)


class PersonaDiffView(ApiView):
    @extend_schema(parameters=[PersonaDiffQuery], responses=PersonaDiff)
    def get(self, request: Request, handle: str) -> Response:
        query = self.query(PersonaDiffQuery)
        agent = get_own_agent(handle, self.actor)
        old, new = (get_version(agent, query[side]) for side in ("old", "new"))
        return Response({"old": old.number, "new": new.number, "diff": diff_lines(old, new)})


def get_version(agent: Agent, number: int) -> PersonaVersion:
    version = agent.persona_versions.filter(number=number).first()
    if version is None:
        raise Http404(f"@{agent.profile.handle} has no persona version {number}.")
    return version


def diff_lines(old: PersonaVersion, new: PersonaVersion) -> list[str]:
    """Compare two versions; return the lines of a unified diff of their JSON."""
    names = f"version {old.number}", f"version {new.number}"
    return list(difflib.unified_diff(as_lines(old), as_lines(new), *names, n=1, lineterm=""))


def as_lines(version: PersonaVersion) -> list[str]:
    content = {field: getattr(version, field) for field in version.CONTENT_FIELDS}
    return json.dumps(content, indent=2, ensure_ascii=False).splitlines()
