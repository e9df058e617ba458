from datetime import time
from typing import Any
from zoneinfo import available_timezones

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import StrictSerializer
from agents.api.views import ApiView
from agents.models import Profile
from performance.budgets import Budget
from posts.publishing.models import Occurrence, RecurringPost
from posts.publishing.models.recurring import MAX_TEXTS
from posts.publishing.services import recurring
from posts.publishing.services.recurring import Rhythm
from posts.publishing.views.publications import SubmitView

SHOWN_TURNS = 10


class RecurringRequest(StrictSerializer):
    """One text goes out every time; several are taken in turn (an evergreen)."""

    account = serializers.IntegerField(min_value=1)
    texts = serializers.ListField(child=serializers.CharField(max_length=100_000), min_length=1, max_length=MAX_TEXTS)
    post = serializers.IntegerField(required=False, min_value=1, help_text="Its image goes along.")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(required=False)
    every_days = serializers.IntegerField(min_value=1, max_value=366)
    local_time = serializers.RegexField(r"\A([01]\d|2[0-3]):[0-5]\d\Z", help_text="24 hours, such as 09:30.")
    time_zone = serializers.CharField(max_length=64)

    def validate_time_zone(self, name: str) -> str:
        if name not in available_timezones():
            raise serializers.ValidationError("There is no such time zone.")
        return name


class RecurringChange(StrictSerializer):
    is_active = serializers.BooleanField()


@extend_schema_field({"type": "string", "example": "09:30"})
class LocalTime(serializers.TimeField):
    """Hours and minutes on the clocks of a time zone; OpenAPI's own `time` wants seconds and an offset."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", **kwargs)


class RecurringItem(serializers.Serializer[RecurringPost]):
    id = serializers.IntegerField()
    account = serializers.IntegerField(source="account_id")
    post = serializers.IntegerField(source="post_id", allow_null=True)
    texts = serializers.ListField(child=serializers.CharField())
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    every_days = serializers.IntegerField()
    local_time = LocalTime()
    time_zone = serializers.CharField()
    is_active = serializers.BooleanField()
    next_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.CharField()


class OccurrenceItem(serializers.Serializer[Occurrence]):
    number = serializers.IntegerField()
    moment = serializers.DateTimeField()
    publication = serializers.IntegerField(source="publication_id", allow_null=True)
    reason = serializers.CharField()


class RecurringDetail(RecurringItem):
    turns = OccurrenceItem(many=True, help_text="The newest of those that are in the calendar or have passed.")
    upcoming = serializers.ListField(child=serializers.DateTimeField())


class RecurringCreated(RecurringItem):
    warnings = serializers.ListField(child=serializers.CharField())


class RecurringPostsView(SubmitView):
    budget = {"GET": Budget(statements=2, p95_ms=25, kilobytes=400)}

    @extend_schema(responses=page_of(RecurringItem))
    def get(self, request: Request) -> Response:
        return self.page(RecurringPost.objects.for_list(self.actor), RecurringItem)

    @extend_schema(request=RecurringRequest, responses={201: RecurringCreated})
    @idempotent
    def post(self, request: Request) -> Response:
        data = self.body(RecurringRequest)
        hours, minutes = map(int, data["local_time"].split(":"))
        (account,) = self.find_accounts([data["account"]], field="account")
        row, warnings = recurring.create_recurring_post(
            author=self.actor,
            account=account,
            texts=data["texts"],
            post=self.find_post(data.get("post")),
            rhythm=Rhythm(
                starts_on=data["starts_on"],
                every_days=data["every_days"],
                local_time=time(hours, minutes),
                time_zone=data["time_zone"],
                ends_on=data.get("ends_on"),
            ),
        )
        return Response(RecurringItem(row).data | {"warnings": warnings}, status=201)


class RecurringPostView(ApiView):
    budget = {"GET": Budget(statements=3, p95_ms=25, kilobytes=100)}
    scopes = {"PATCH": "post", "DELETE": "post"}

    @extend_schema(responses=RecurringDetail)
    def get(self, request: Request, recurring_id: int) -> Response:
        return Response(detail_of(find(recurring_id, self.actor)))

    @extend_schema(request=RecurringChange, responses=RecurringDetail)
    def patch(self, request: Request, recurring_id: int) -> Response:
        row = find(recurring_id, self.actor)
        change = recurring.resume if self.body(RecurringChange)["is_active"] else recurring.pause
        change(row=row)
        return Response(detail_of(find(recurring_id, self.actor)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, recurring_id: int) -> Response:
        recurring.remove(row=find(recurring_id, self.actor), actor=self.actor)
        return Response(status=204)


def find(recurring_id: int, viewer: Profile) -> RecurringPost:
    row = RecurringPost.objects.for_list(viewer).filter(pk=recurring_id).first()
    if row is None:
        raise Http404
    return row


def detail_of(row: RecurringPost) -> dict[str, Any]:
    turns: Any = row.occurrences.order_by("-number")[:SHOWN_TURNS]
    upcoming = recurring.upcoming(row, count=SHOWN_TURNS)
    return RecurringItem(row).data | {
        "turns": OccurrenceItem(turns, many=True).data,
        "upcoming": [moment.isoformat().replace("+00:00", "Z") for moment in upcoming],
    }
