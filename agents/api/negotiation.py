from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.versioning import AcceptHeaderVersioning

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


class UsualVersioning(AcceptHeaderVersioning):
    """Read the version from `Accept` as usual, where it says anything but the media type."""

    def determine_version(self, request: Request, *args: Any, **kwargs: Any) -> str:
        if ";" not in request.accepted_media_type:
            return str(self.default_version)
        version: str = super().determine_version(request, *args, **kwargs)
        return version
