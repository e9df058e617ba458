from collections.abc import Iterable
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.problems import Conflict
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.models import ApiKey
from agents.serializers import KeyCreate, KeyOnce, KeyRead
from agents.services import keys
from agents.views.access import get_own_agent
from performance.budgets import Budget


def shown_once(key: ApiKey, secret: str) -> dict[str, Any]:
    return {**KeyRead(key).data, "key": secret}


class KeysView(ApiView):
    """The keys of a person and of the agents they own."""

    budget = {
        "GET": Budget(statements=2, p95_ms=25, kilobytes=10, index="api_key_profile_newest"),
        "POST": Budget(statements=3, p95_ms=50, kilobytes=1),
    }
    scopes = {"GET": "keys", "POST": "keys"}

    @extend_schema(parameters=[PageQuery], responses=page_of(KeyRead))
    def get(self, request: Request) -> Response:
        return self.page(ApiKey.objects.for_list(self.actor), KeyRead)

    @extend_schema(request=KeyCreate, responses={201: KeyOnce})
    def post(self, request: Request) -> Response:
        data = self.body(KeyCreate)
        agent = data.pop("agent", None)
        profile = get_own_agent(agent, self.actor).profile if agent else self.actor
        self.check_scopes(data["scopes"])
        key, secret = keys.create_key(profile=profile, **data)
        return Response(shown_once(key, secret), status=201)

    def check_scopes(self, wanted: Iterable[str]) -> None:
        """A key never makes one that may more than itself."""
        if isinstance(self.request.auth, ApiKey) and (missing := {*wanted} - {*self.request.auth.scopes}):
            raise ValidationError({"scopes": [f"Your own key lacks: {', '.join(sorted(missing))}."]})


class KeyView(ApiView):
    scopes = {"DELETE": "keys"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key_id: int) -> Response:
        keys.revoke_key(key=self.get_key(key_id))
        return Response(status=204)

    def get_key(self, key_id: int) -> ApiKey:
        key = ApiKey.objects.for_list(self.actor).filter(pk=key_id).first()
        if key is None:
            raise Http404("You have no such key.")
        return key


class KeyRotateView(KeyView):
    scopes = {"POST": "keys"}
    http_method_names = ["post", "options"]

    @extend_schema(request=None, responses={201: KeyOnce})
    def post(self, request: Request, key_id: int) -> Response:
        key = self.get_key(key_id)
        if isinstance(request.auth, ApiKey) and not set(key.scopes) <= set(request.auth.scopes):
            raise PermissionDenied("Your own key may less than the one it would replace.")
        try:
            fresh, secret = keys.rotate_key(key=key)
        except ApiKey.DoesNotExist:
            raise Conflict("This key is revoked already.") from None
        return Response(shown_once(fresh, secret), status=201)
