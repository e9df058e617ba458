import re
from typing import Any

from django.conf import settings
from django.core import signals
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, get_script_name
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, set_script_prefix
from django.utils.log import log_response
from django.utils.module_loading import import_string

# Routes are counted by the code, paths by whoever asks.
MOST_ROUTES = 1000
# No longer than any converter takes: longer ones are resolved as ever.
NUMBER = re.compile(r"(?<=/)[0-9]{1,19}(?=/|\Z)")


class KeyHandler(WSGIHandler):
    """Django's handler with `settings.KEY_MIDDLEWARE`, for requests to the API that carry no session.

    Without a session cookie there is no session, no log-in, no message and no CSRF token to look after, and
    the API serves no file: layers that each such request would pass for nothing. What Django's handler looks
    for at each request and cannot find here is not looked for: views that are coroutines or atomic, middleware
    around views and templates, and another `urlconf` than the project's.
    """

    def __init__(self) -> None:
        super().__init__()
        self._routes: dict[str, ResolverMatch] = {}

    def load_middleware(self, is_async: bool = False) -> None:
        self._exception_middleware: list[Any] = []
        handler: Any = convert_exception_to_response(self._get_response)
        for path in reversed(settings.KEY_MIDDLEWARE):
            layer = import_string(path)(handler)
            if hasattr(layer, "process_exception"):
                self._exception_middleware.append(layer.process_exception)
            handler = convert_exception_to_response(layer)
        self._middleware_chain = handler

    def __call__(self, environ: dict[str, Any], start_response: Any) -> HttpResponse:
        set_script_prefix(get_script_name(environ))
        signals.request_started.send(sender=self.__class__, environ=environ)
        request = self.request_class(environ)
        response: HttpResponse = self._middleware_chain(request)
        response._resource_closers.append(request.close)  # type: ignore[attr-defined]
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        if response.status_code >= 400:
            log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        # The pairs themselves: as a mapping, each would be looked up by its name again.
        headers = [*response.headers._store.values()]
        headers += [("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values()]
        start_response(f"{response.status_code} {response.reason_phrase}", headers)
        return response

    def _get_response(self, request: HttpRequest) -> HttpResponse:
        view, arguments, named = self.resolve_request(request)
        try:
            response: Any = view(request, *arguments, **named)
            return response.render() if hasattr(response, "render") else response  # type: ignore[no-any-return]
        except Exception as error:
            answer: HttpResponse | None = self.process_exception_by_middleware(error, request)
            if answer is None:
                raise
            return answer

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """Resolve once what the code decides: paths without arguments, and with numbers as their only ones.

        Walking the routes takes a fifth of a like. Every number matches what another did, whatever its value.
        """
        path = request.path_info
        numbers = NUMBER.findall(path)
        shape = NUMBER.sub("0", path) if numbers else path
        match = self._routes.get(shape)
        if match is None:
            match = super().resolve_request(request)
            is_of_numbers = [*match.kwargs.values()] == [*map(int, numbers)]
            if is_of_numbers and not match.args and len(self._routes) < MOST_ROUTES:
                self._routes[shape] = match
        elif numbers:
            match = with_numbers(match, numbers)
        request.resolver_match = match
        return match


def with_numbers(match: ResolverMatch, numbers: list[str]) -> ResolverMatch:
    """Return what another path of the same shape resolves to."""
    kwargs = dict(zip(match.kwargs, map(int, numbers), strict=True))
    other = ResolverMatch.__new__(ResolverMatch)
    vars(other).update(vars(match), kwargs=kwargs, captured_kwargs=kwargs)
    return other


class Handler:
    """Passes a request to the handler that has what it needs and no more."""

    def __init__(self, full: WSGIHandler, for_keys: WSGIHandler) -> None:
        self.full = full
        self.for_keys = for_keys
        self.session_cookie = f"{settings.SESSION_COOKIE_NAME}="

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        has_session = self.session_cookie in environ.get("HTTP_COOKIE", "")
        is_api = environ.get("PATH_INFO", "").startswith("/api/")
        return (self.for_keys if is_api and not has_session else self.full)(environ, start_response)
