import time
from collections.abc import Iterator
from contextlib import nullcontext

import orjson
from django.conf import settings
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from agents.api.streaming import EventStream, event, stream
from agents.api.views import ApiView
from posts.generation.models import Run
from posts.generation.serializers import RunDetail
from posts.generation.views.access import get_run

PAUSE_SECONDS = 0.5


class EventsView(ApiView):
    """A run as server-sent events: one `run` event at once, then one whenever something changed."""

    renderer_classes = [*ApiView.renderer_classes, EventStream]

    @extend_schema(responses={(200, "text/event-stream"): OpenApiTypes.STR})
    def get(self, request: Request, run_id: int) -> StreamingHttpResponse:
        run = get_run(run_id, self.actor)
        poll_ms = settings.ACTIVE_PROCESS_POLL_INTERVAL
        return stream(lambda is_held: nullcontext(RunEvents(run)), viewer_id=self.actor.pk, poll_ms=poll_ms)


class RunEvents:
    """Tells the state of a run until it is over or waits for a person.

    A client that is cut off connects again and gets the whole state first: nothing is missed.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.sent = b""

    @property
    def is_over(self) -> bool:
        return self.run.is_final or self.run.state == Run.State.REVIEW

    def look(self) -> Iterator[bytes]:
        if self.sent:
            self.run = Run.objects.for_detail().get(pk=self.run.pk)
        data = orjson.dumps(RunDetail(self.run).data)
        if data != self.sent:
            yield event("run", data)
            self.sent = data

    def wait(self) -> None:
        time.sleep(PAUSE_SECONDS)
