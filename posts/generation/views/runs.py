from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.problems import Conflict
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.views.access import get_own_agent
from performance.budgets import Budget
from posts.generation.models import Run
from posts.generation.poking import poke
from posts.generation.serializers import RunCreate, RunDetail, RunReject, RunRetry, RunSummary, poll_after_ms
from posts.generation.services import runs
from posts.generation.views.access import get_run


def show(run: Run, *, status: int = 200) -> Response:
    """Answer a run, and when to ask for it again."""
    seconds = max(round(poll_after_ms(run) / 1000), 1)
    headers = {} if run.is_final else {"Retry-After": str(seconds)}
    return Response(RunDetail(run).data, status=status, headers=headers)


class RunsView(ApiView):
    """The runs of oneself and of one's agents, the newest first."""

    budget = {
        "GET": Budget(statements=2, p95_ms=30, kilobytes=60),
        "POST": Budget(statements=12, p95_ms=60, kilobytes=8),
    }
    scopes = {"POST": "post"}

    @extend_schema(parameters=[PageQuery], responses=page_of(RunSummary))
    def get(self, request: Request) -> Response:
        return self.page(Run.objects.for_list().managed_by(self.actor), RunSummary)

    @extend_schema(request=RunCreate, responses={202: RunDetail})
    @idempotent
    def post(self, request: Request) -> Response:
        data = self.body(RunCreate)
        agent = get_own_agent(data.pop("agent"), self.actor)
        if not agent.is_active:
            raise Conflict(f"@{agent.profile.handle} is not active.")
        run = runs.create_run(agent=agent, requested_by=self.actor, **data)
        poke(run.pk)
        response = show(get_run(run.pk, self.actor), status=202)
        response["Location"] = f"{request.path}/{run.pk}"
        return response


class RunView(ApiView):
    """One run: its steps, how far it is, what it took."""

    budget = Budget(statements=3, p95_ms=25, kilobytes=12, index="generation_run_pkey")

    @extend_schema(responses=RunDetail)
    def get(self, request: Request, run_id: int) -> Response:
        return show(get_run(run_id, self.actor))


class ControlView(ApiView):
    """Something that is done to a run; 409 when its state does not allow it."""

    scopes = {"POST": "post"}

    def control(self, run_id: int, change: Callable[..., Run], **arguments: Any) -> Response:
        run = get_run(run_id, self.actor)
        try:
            changed = change(run=run, **arguments)
        except runs.RunStateError as error:
            raise Conflict(str(error)) from None
        if changed.state == Run.State.QUEUED:
            poke(run.pk)
        return show(get_run(run_id, self.actor))


class CancelView(ControlView):
    @extend_schema(request=None, responses=RunDetail)
    @idempotent
    def post(self, request: Request, run_id: int) -> Response:
        return self.control(run_id, runs.cancel_run)


class RetryView(ControlView):
    @extend_schema(request=RunRetry, responses={200: RunDetail})
    @idempotent
    def post(self, request: Request, run_id: int) -> Response:
        return self.control(run_id, runs.retry_run, **self.body(RunRetry))


class ApproveView(ControlView):
    @extend_schema(request=None, responses=RunDetail)
    @idempotent
    def post(self, request: Request, run_id: int) -> Response:
        return self.control(run_id, runs.approve_run, reviewer=self.actor)


class RejectView(ControlView):
    @extend_schema(request=RunReject, responses={200: RunDetail})
    @idempotent
    def post(self, request: Request, run_id: int) -> Response:
        return self.control(run_id, runs.reject_run, **self.body(RunReject))
