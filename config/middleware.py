"""Middleware of the development settings."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.csp import CSP

INLINE = {"default-src": [CSP.SELF, CSP.UNSAFE_INLINE, CSP.UNSAFE_EVAL], "img-src": [CSP.SELF, "data:"]}


def allow_inline_in_silk(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Loosen the policy for silk, whose scripts are inline and evaluate strings; all other pages keep production's."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.resolver_match and request.resolver_match.app_name == "silk":
            response._csp_config = INLINE  # type: ignore[attr-defined]
        return response

    return middleware
