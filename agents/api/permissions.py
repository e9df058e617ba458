from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from agents.api.authentication import acting_profile
from agents.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Let a request through when its credential carries the scope that the view names for the method.

    A view declares `scopes = {"POST": "post"}`. Reading needs `read` where the view names nothing else, and
    no credential where it `is_public`. A session carries every scope; an unlisted unsafe method has none.
    """

    message = "This API key lacks the scope that the request needs."

    def has_permission(self, request: Request, view: APIView) -> bool:
        is_read = request.method in SAFE_METHODS
        if is_read and getattr(view, "is_public", False) and request.auth is None:
            return True
        if acting_profile(request) is None:
            return False
        if not isinstance(request.auth, ApiKey):
            return True
        scope = getattr(view, "scopes", {}).get(request.method, "read" if is_read else None)
        return scope in request.auth.scopes
