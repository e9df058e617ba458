from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.problems import naming
from agents.api.schema import page_of
from agents.api.serializers import StrictSerializer
from agents.api.views import ApiView
from performance.budgets import Budget
from posts.publishing.models import WebhookDelivery, WebhookEndpoint
from posts.publishing.services import webhooks
from posts.publishing.services.connecting import checked_address
from posts.publishing.views.accounts import person_of


class EndpointRequest(StrictSerializer):
    url = serializers.URLField(max_length=500)
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=WebhookEndpoint.Kind.choices), min_length=1, max_length=5
    )


class EndpointItem(serializers.Serializer[WebhookEndpoint]):
    id = serializers.IntegerField()
    url = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()


class EndpointCreated(EndpointItem):
    signing_secret = serializers.CharField(help_text="Shown once.")


class DeliveryItem(serializers.Serializer[WebhookDelivery]):
    id = serializers.IntegerField()
    message_id = serializers.UUIDField()
    kind = serializers.CharField()
    payload = serializers.JSONField()
    attempt = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField()
    created_at = serializers.DateTimeField()


class WebhooksView(ApiView):
    budget = {"GET": Budget(statements=2, p95_ms=25, kilobytes=40)}
    scopes = {"POST": "manage"}

    @extend_schema(responses=page_of(EndpointItem))
    def get(self, request: Request) -> Response:
        return self.page(WebhookEndpoint.objects.filter(owner=person_of(self)), EndpointItem)

    @extend_schema(request=EndpointRequest, responses={201: EndpointCreated})
    def post(self, request: Request) -> Response:
        data = self.body(EndpointRequest)
        # No Idempotency-Key: a stored answer would hold the secret.
        with naming("url"):
            url = checked_address(data["url"])
        endpoint, secret = webhooks.create_endpoint(owner=person_of(self), url=url, kinds=data["kinds"])
        return Response(EndpointItem(endpoint).data | {"signing_secret": secret}, status=201)


class WebhookView(ApiView):
    scopes = {"DELETE": "manage"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, endpoint_id: int) -> Response:
        deleted, _ = WebhookEndpoint.objects.filter(pk=endpoint_id, owner=person_of(self)).delete()
        if not deleted:
            raise Http404
        return Response(status=204)


class DeliveriesView(ApiView):
    budget = {"GET": Budget(statements=2, p95_ms=25, kilobytes=100)}

    @extend_schema(responses=page_of(DeliveryItem))
    def get(self, request: Request, endpoint_id: int) -> Response:
        rows = WebhookDelivery.objects.filter(endpoint=endpoint_id, endpoint__owner=person_of(self))
        return self.page(rows, DeliveryItem)


class ReplayView(ApiView):
    scopes = {"POST": "manage"}

    @extend_schema(request=None, responses={202: DeliveryItem})
    @idempotent
    def post(self, request: Request, delivery_id: int) -> Response:
        rows: Any = WebhookDelivery.objects.filter(pk=delivery_id, endpoint__owner=person_of(self))
        if (delivery := rows.first()) is None:
            raise Http404
        webhooks.replay(delivery=delivery)
        return Response(DeliveryItem(rows.get()).data, status=202)
