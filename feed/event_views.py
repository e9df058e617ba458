from django.conf import settings
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from agents.api.streaming import EventStream, stream
from agents.api.views import ApiView
from feed.live.marks import Position
from feed.live.source import reader_events
from feed.serializers import EventsQuery
from performance.budgets import Budget

LAST_EVENT = OpenApiParameter(
    "Last-Event-ID",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The id of the last event that was received: the stream goes on right after it.",
)


class EventsView(ApiView):
    """What happens around the caller, as server-sent events.

    `counts` at once and whenever it changes: how many notifications, conversations and updates are unread, 100
    standing for 100 or more. `notification` and `post`: each notification, and each post on the home timeline, once
    and without a gap, as the lists answer them. `gap`: the caller was away for more than a day, and finds the
    posts of before on the timeline. A stream ends after a minute, or at once when the server holds many already:
    ask again after `retry`, with the id of the last event.
    """

    # What it takes to find no news; each kind of news is one more.
    budget = Budget(statements=3, p95_ms=25, kilobytes=1, index="notification_newest")
    renderer_classes = [*ApiView.renderer_classes, EventStream]

    @extend_schema(parameters=[LAST_EVENT, EventsQuery], responses={(200, "text/event-stream"): OpenApiTypes.STR})
    def get(self, request: Request) -> StreamingHttpResponse:
        viewer = self.actor
        # A browser sends the header only when it connects again by itself, not from the next page.
        after = self.query(EventsQuery)["after"]
        last = request.headers.get("Last-Event-ID", after)
        position = Position.parse(last)
        if last and position is None:
            raise ValidationError({"after" if after else "Last-Event-ID": ["This is no id of an event."]})
        return stream(
            lambda is_held: reader_events(request, viewer, position, is_held=is_held),
            viewer_id=viewer.pk,
            poll_ms=settings.INACTIVE_PROCESS_POLL_INTERVAL,
        )
