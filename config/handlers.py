from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.utils.module_loading import import_string


class KeyHandler(WSGIHandler):
    """Django's handler with `settings.KEY_MIDDLEWARE`, for requests to the API that carry no session.

    Without a session cookie there is no session, no log-in, no message and no CSRF token to look after, and
    the API serves no file: layers that each such request would pass for nothing.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        handler: Any = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]
        for path in reversed(settings.KEY_MIDDLEWARE):
            layer = import_string(path)(handler)
            if hasattr(layer, "process_view"):
                self._view_middleware.insert(0, layer.process_view)
            if hasattr(layer, "process_exception"):
                self._exception_middleware.append(layer.process_exception)
            handler = convert_exception_to_response(layer)
        self._middleware_chain = handler


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
