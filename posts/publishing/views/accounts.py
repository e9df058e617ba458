from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseRedirect
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.problems import Unprocessable, naming
from agents.api.schema import page_of
from agents.api.views import ApiView
from agents.models import ApiKey, Profile
from agents.views.access import get_own_agent
from performance.budgets import Budget
from posts.publishing.models import PublishingPolicy, SocialAccount
from posts.publishing.networks import NETWORKS, network_named
from posts.publishing.networks.oauth import OAuthNetwork
from posts.publishing.serializers import (
    AccountChange,
    AccountDetail,
    CallbackQuery,
    Connected,
    ConnectRequest,
    PolicyDetail,
)
from posts.publishing.services import connecting
from posts.publishing.services.policies import change_account, set_policy


def person_of(view: ApiView) -> Profile:
    """Return the person who acts: an agent uses its owner's accounts, but connects and disconnects none."""
    if view.actor.is_agent:
        raise PermissionDenied("Only the owner of an agent manages accounts.")
    return view.actor


def get_own_account(account_id: int, person: Profile) -> SocialAccount:
    account = SocialAccount.objects.connected().filter(pk=account_id, owner=person).first()
    if account is None:
        raise Http404
    return account


class AccountsView(ApiView):
    budget = {"GET": Budget(statements=3, p95_ms=25, kilobytes=40)}
    scopes = {"POST": "manage"}

    @extend_schema(responses=page_of(AccountDetail))
    def get(self, request: Request) -> Response:
        return self.page(SocialAccount.objects.for_list(self.actor), AccountDetail)

    # Not under the Idempotency-Key's transaction, because a network is talked to: connecting the same account
    # again is the same account.
    @extend_schema(request=ConnectRequest, responses={200: Connected, 201: Connected})
    def post(self, request: Request) -> Response:
        person = person_of(self)
        data = self.body(ConnectRequest)
        try:
            return self.connect(person, data)
        except connecting.NotConnected as error:
            raise Unprocessable(str(error)) from error

    def connect(self, person: Profile, data: dict[str, Any]) -> Response:
        network = network_named(data["network"])
        with naming("base_url"):
            base_url = connecting.checked_address(data["base_url"]) if data["base_url"] else ""
        if isinstance(network, OAuthNetwork):
            url = connecting.start_consent(owner=person, network=network, base_url=base_url, binding=binding_of(self))
            return Response({"authorize_url": url})
        if data["network"] == "bluesky":
            account = connecting.connect_bluesky(
                owner=person, base_url=base_url, identifier=data["identifier"], password=data["password"]
            )
            return Response({"account": AccountDetail(account).data}, status=201)
        account, secret = connecting.connect_webhook(
            owner=person, base_url=base_url, name=data["name"], takes_idempotency_key=data["takes_idempotency_key"]
        )
        return Response({"account": AccountDetail(account).data, "secret": secret}, status=201)


def binding_of(view: ApiView) -> str:
    """Name the session or the key that a way to a consent page belongs to."""
    auth = view.request.auth
    if isinstance(auth, ApiKey):
        return f"key:{auth.pk}"
    return session_binding(view.request)


def session_binding(request: HttpRequest | Request) -> str:
    return f"session:{request.session.session_key}"


class CallbackView(ApiView):
    """Where a network's consent page sends the browser back to."""

    scopes = {"GET": "manage"}
    takes_any_parameter = True

    @extend_schema(
        parameters=[OpenApiParameter("state", required=True), OpenApiParameter("code", required=True)],
        responses={200: AccountDetail(many=True)},
    )
    def get(self, request: Request, network: str) -> Response | HttpResponseRedirect:
        found = network_named(network) if network in NETWORKS else None
        if not isinstance(found, OAuthNetwork):
            raise Http404
        # A person who logged in came from a page, and is to see one.
        is_from_page = request.auth is None and "text/html" in request.headers.get("Accept", "")
        try:
            accounts = self.connect(request, found)
        except Unprocessable as error:
            if not is_from_page:
                raise
            messages.error(request, str(error.detail))
            return HttpResponseRedirect(settings.ACCOUNTS_PAGE)
        if is_from_page:
            messages.success(request, f"{found.label} is connected.")
            return HttpResponseRedirect(settings.ACCOUNTS_PAGE)
        return Response(AccountDetail(accounts, many=True).data)  # type: ignore[arg-type]

    def connect(self, request: Request, network: OAuthNetwork) -> list[SocialAccount]:
        person = person_of(self)
        if "error" in request.query_params:
            raise Unprocessable("The network reports that consent was not given.")
        given = {name: request.query_params[name] for name in ("state", "code") if name in request.query_params}
        serializer = CallbackQuery(data=given)
        serializer.is_valid(raise_exception=True)
        try:
            return connecting.finish_consent(
                owner=person, network=network, binding=binding_of(self), **serializer.validated_data
            )
        except connecting.NotConnected as error:
            raise Unprocessable(str(error)) from error


class AccountView(ApiView):
    budget = {"GET": Budget(statements=2, p95_ms=25, kilobytes=2)}
    scopes = {"PATCH": "manage", "DELETE": "manage"}

    @extend_schema(responses=AccountDetail)
    def get(self, request: Request, account_id: int) -> Response:
        account = SocialAccount.objects.for_list(self.actor).filter(pk=account_id).first()
        if account is None:
            raise Http404
        return Response(AccountDetail(account).data)

    @extend_schema(request=AccountChange, responses=AccountDetail)
    def patch(self, request: Request, account_id: int) -> Response:
        account = get_own_account(account_id, person_of(self))
        change_account(account=account, **self.body(AccountChange, partial=True))
        return Response(AccountDetail(account).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, account_id: int) -> Response:
        person = person_of(self)
        connecting.disconnect(account=get_own_account(account_id, person), actor=person)
        return Response(status=204)


class PolicyView(ApiView):
    """Whether an agent's publications wait for its owner."""

    scopes = {"PUT": "manage"}

    @extend_schema(responses=PolicyDetail)
    def get(self, request: Request, handle: str) -> Response:
        agent = get_own_agent(handle, person_of(self))
        return Response({"owner_approves": PublishingPolicy.objects.filter(agent=agent, owner_approves=True).exists()})

    @extend_schema(request=PolicyDetail, responses=PolicyDetail)
    def put(self, request: Request, handle: str) -> Response:
        agent = get_own_agent(handle, person_of(self))
        data = self.body(PolicyDetail)
        if not data:
            raise ValidationError({"owner_approves": ["This field is required."]})
        set_policy(agent=agent, **data)
        return Response(data)
