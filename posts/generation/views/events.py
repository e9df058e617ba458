import time
from collections.abc import Iterator

import orjson
from django.conf import settings
from django.db import connection
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from agents.api.views import ApiView
from posts.generation.models import Run
from posts.generation.serializers import RunDetail
from posts.generation.views.access import get_run

# A client that is cut off connects again and gets the whole state first: nothing is missed.
LONGEST_SECONDS = 60.0
PAUSE_SECONDS = 0.5


class EventStream(BaseRenderer):
    media_type = "text/event-stream"
    format = "event-stream"

    def render(self, data: object, *args: object, **kwargs: object) -> bytes:
        return orjson.dumps(data)


class EventsView(ApiView):
    """A run as server-sent events: one `run` event at once, then one whenever something changed."""

    renderer_classes = [*ApiView.renderer_classes, EventStream]

    @extend_schema(responses={(200, "text/event-stream"): OpenApiTypes.STR})
    def get(self, request: Request, run_id: int) -> StreamingHttpResponse:
        run = get_run(run_id, self.actor)
        response = StreamingHttpResponse(events(run), content_type="text/event-stream")
        response["Cache-Control"] = "no-store"
        response["X-Accel-Buffering"] = "no"
        return response


def events(run: Run) -> Iterator[bytes]:
    """Yield the events of a run until it is over or waits for a person, or a minute has passed."""
    yield b"retry: %d\n\n" % settings.ACTIVE_PROCESS_POLL_INTERVAL
    sent, end = b"", time.monotonic() + LONGEST_SECONDS
    while True:
        data = orjson.dumps(RunDetail(run).data)
        if data != sent:
            yield b"event: run\ndata: %b\n\n" % data
            sent = data
        if run.is_final or run.state == Run.State.REVIEW or time.monotonic() > end:
            return
        # The stream may last a minute: no connection is held between two looks.
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(PAUSE_SECONDS)
        run = Run.objects.for_detail().get(pk=run.pk)
