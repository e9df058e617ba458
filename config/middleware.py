from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csp import ContentSecurityPolicyMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.csp import CSP

INLINE = {"default-src": [CSP.SELF, CSP.UNSAFE_INLINE, CSP.UNSAFE_EVAL], "img-src": [CSP.SELF, "data:"]}
# Hosts are few; what is made up by whoever asks is refused and not remembered.
MOST_HOSTS = 100
# What a view notes on an answer whose policy it decides itself.
DECIDED = {"_csp_config", "_csp_ro_config", "xframe_options_exempt"}

type Handler = Callable[[HttpRequest], HttpResponse]


class Envelope:
    """What Django's security, content policy, framing and common middleware do to an answer, in one layer.

    The headers of the first three depend on the settings and the scheme, not on the answer: each is asked for
    them once, and again only where the view decides about its own policy. Four layers in a row cost a tenth
    of a prepared read.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.common, self.security = CommonMiddleware(get_response), SecurityMiddleware(get_response)
        self.layers: list[Any] = [
            XFrameOptionsMiddleware(get_response),
            ContentSecurityPolicyMiddleware(get_response),
            self.security,
        ]
        # A refusal, such as of an unknown host, gets the headers too.
        self.answer = convert_exception_to_response(self._answer)
        self.headers = {is_secure: self._ask(Probe(is_secure)).headers._store for is_secure in (False, True)}
        # Where nothing else of a request matters to the common middleware, a host that was let in once is let in.
        self.hosts: set[str] = set()
        by_more = settings.PREPEND_WWW or settings.DISALLOWED_USER_AGENTS or settings.USE_X_FORWARDED_HOST
        self.most_hosts = 0 if by_more else MOST_HOSTS

    def _ask(self, request: HttpRequest) -> HttpResponse:
        answer = HttpResponse()
        del answer["Content-Type"]
        return self._pass_through(request, answer)

    def _pass_through(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        for layer in self.layers:
            response = layer.process_response(request, response)
        return response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.security.process_request(request) or self.answer(request)  # type: ignore[assignment]
        if not DECIDED.isdisjoint(vars(response)):
            return self._pass_through(request, response)
        # Names in lower case and pairs, as Django keeps them: setting each anew would check it anew.
        headers = response.headers._store
        for name, pair in self.headers[request.is_secure()].items():
            headers.setdefault(name, pair)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        host = request.META.get("HTTP_HOST")
        redirect = None if host in self.hosts else self.common.process_request(request)
        if redirect is None and host and len(self.hosts) < self.most_hosts:
            self.hosts.add(host)
        answer: HttpResponse = redirect or self.get_response(request)
        return self.common.process_response(request, answer)  # type: ignore[return-value]


class Probe(HttpRequest):
    """A request of which only the scheme is known."""

    def __init__(self, is_secure: bool) -> None:
        super().__init__()
        self._is_secure = is_secure

    def _get_scheme(self) -> str:
        return "https" if self._is_secure else "http"


def allow_inline_in_silk(get_response: Handler) -> Handler:
    """Loosen the policy for silk, whose scripts are inline and evaluate strings; all other pages keep production's."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.resolver_match and request.resolver_match.app_name == "silk":
            response._csp_config = INLINE  # type: ignore[attr-defined]
        return response

    return middleware
