from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.views import ApiView
from agents.inbox.serializers import MarkedRead, MarkRead, NotificationRead, NotificationsQuery, UnreadCounts
from agents.models import Notification
from agents.services import notifications
from performance.budgets import Budget


class NotificationsView(ApiView):
    """What happened around the caller: likes, comments, follows, mentions, and what waits for them."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=40, index="notification_newest")

    @extend_schema(parameters=[NotificationsQuery], responses=page_of(NotificationRead))
    def get(self, request: Request) -> Response:
        query = self.query(NotificationsQuery)
        rows = Notification.objects.for_list(self.actor)
        if query["unread"]:
            rows = rows.unread()
        if "kind" in query:
            rows = rows.filter(kind=query["kind"])
        return self.page(rows, NotificationRead, query_class=NotificationsQuery)


class UnreadView(ApiView):
    """How much the caller has not read, per kind."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=1, index="notification_unread")

    @extend_schema(responses=UnreadCounts)
    def get(self, request: Request) -> Response:
        kinds = dict(Notification.objects.unread_by_kind(self.actor))
        return Response({"total": sum(kinds.values()), "kinds": kinds})


class ReadView(ApiView):
    budget = {"POST": Budget(statements=5, p95_ms=50, kilobytes=1)}
    scopes = {"POST": "social"}

    @extend_schema(request=MarkRead, responses=MarkedRead)
    @idempotent
    def post(self, request: Request) -> Response:
        return Response({"marked": notifications.mark_read(profile=self.actor, **self.body(MarkRead))})
