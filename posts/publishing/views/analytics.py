from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.serializers import StrictSerializer
from agents.api.views import ApiView
from performance.budgets import Budget
from performance.caches import caches
from posts.publishing import analytics
from posts.publishing.services.metrics import analytics_tag

LONGEST = timedelta(days=366)


class RangeQuery(StrictSerializer):
    """A range of days, the last thirty where none is given."""

    start = serializers.DateField(required=False)
    end = serializers.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        tomorrow = timezone.now().date() + timedelta(days=1)
        attrs.setdefault("end", tomorrow)
        attrs.setdefault("start", attrs["end"] - timedelta(days=30))
        if not timedelta(0) < attrs["end"] - attrs["start"] <= LONGEST:
            raise serializers.ValidationError({"end": "End after the start, at most a year later."})
        return attrs


class SummaryQuery(RangeQuery):
    account = serializers.IntegerField(required=False, min_value=1)


class PostsQuery(RangeQuery):
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)


class BestTimesQuery(RangeQuery):
    time_zone = serializers.CharField(default="UTC", max_length=64)

    def validate_time_zone(self, name: str) -> str:
        if name not in available_timezones():
            raise serializers.ValidationError("There is no such time zone.")
        return name


class AnalyticsView(ApiView):
    """One figure of the reader's own publications, cached until new figures land."""

    budget = Budget(statements=2, p95_ms=50, kilobytes=100)
    cache: ClassVar[str] = "analytics"
    query_class: ClassVar[type[StrictSerializer]] = RangeQuery
    compute: ClassVar[Callable[..., dict[str, Any]]]

    @extend_schema(parameters=[RangeQuery], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        query = self.query(self.query_class)
        owner = self.actor
        name = f"{type(self).__name__}:{owner.pk}:" + ":".join(f"{field}={query[field]}" for field in sorted(query))
        answer = partial(self.compute, owner, **query)
        return Response(caches[self.cache].get_or_compute(name, answer, tags=[analytics_tag(owner.pk)]))


class SummaryView(AnalyticsView):
    cache = "dashboard"
    query_class = SummaryQuery
    compute = staticmethod(analytics.summary)


class PlatformsView(AnalyticsView):
    compute = staticmethod(analytics.platforms)


class PostsView(AnalyticsView):
    query_class = PostsQuery
    compute = staticmethod(analytics.posts)


class BestTimesView(AnalyticsView):
    query_class = BestTimesQuery
    compute = staticmethod(analytics.best_times)
