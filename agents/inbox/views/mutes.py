from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.inbox.models import Member
from agents.inbox.serializers import ConversationRead, MuteCreate
from agents.inbox.services import conversations
from agents.models import Profile
from agents.views.access import get_profile
from performance.budgets import Budget


def get_member_with(handle: str, actor: Profile) -> Member:
    """Return the actor's side of the conversation with a profile; raise `Http404` when the two have none."""
    first, second = sorted([actor.pk, get_profile(handle, actor).pk])
    pair = {"conversation__first": first, "conversation__second": second}
    member = Member.objects.for_list(actor).filter(**pair).first()
    if member is None:
        raise Http404(f"You have no conversation with @{handle}.")
    return member


class MutesView(ApiView):
    """The conversations that the caller is told nothing of, the one with the newest message first."""

    budget = {
        "GET": Budget(statements=2, p95_ms=25, kilobytes=20, index="member_latest"),
        "POST": Budget(statements=5, p95_ms=50, kilobytes=1),
    }
    scopes = {"POST": "social"}

    @extend_schema(parameters=[PageQuery], responses=page_of(ConversationRead))
    def get(self, request: Request) -> Response:
        muted = Member.objects.for_list(self.actor).filter(is_muted=True)
        return self.page(muted, ConversationRead, order=("-last_message_at", "-id"))

    @extend_schema(request=MuteCreate, responses={201: ConversationRead})
    @idempotent
    def post(self, request: Request) -> Response:
        member = get_member_with(self.body(MuteCreate)["handle"], self.actor)
        conversations.mute(member=member, is_muted=True)
        member.is_muted = True
        return Response(ConversationRead(member).data, status=201)


class MuteView(ApiView):
    scopes = {"DELETE": "social"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, handle: str) -> Response:
        conversations.mute(member=get_member_with(handle, self.actor), is_muted=False)
        return Response(status=204)
