from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

# What nearly every client sends; each accepts the first renderer, JSON.
USUAL = {"", "*/*", "application/json"}


class JSONNegotiation(DefaultContentNegotiation):
    """Negotiate as usual, but see at once that the usual client takes JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        if request.META.get("HTTP_ACCEPT", "") in USUAL and request.META.get("QUERY_STRING", "") == "":
            first = next(iter(renderers))
            return first, str(first.media_type)
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen
