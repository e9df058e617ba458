"""Silk without secrets: it keeps the shape of requests and statements, never what was in them."""

import json
import traceback
from collections.abc import Callable
from typing import Any

import silk.middleware
from django.db import connections
from django.db.models.sql.compiler import SQLCompiler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from silk.collector import DataCollector
from silk.model_factory import RequestModelFactory

from performance.masking import without_values

KEPT_HEADERS = ("accept", "content-length", "content-type", "user-agent", "x-request-id")


class MaskedRequest(RequestModelFactory):  # type: ignore[misc]
    """Keeps method, path and the names of parameters; headers by allow-list; no body at all."""

    def body(self) -> tuple[str, str]:
        return "", ""

    def query_params(self) -> str:
        return json.dumps(dict.fromkeys(self.request.GET, "?"))

    def encoded_headers(self) -> str:
        headers = {name.lower(): value for name, value in self.request.headers.items()}
        return json.dumps({name: headers[name] for name in KEPT_HEADERS if name in headers})


class MaskedResponse(silk.middleware.ResponseModelFactory):  # type: ignore[misc]
    """Keeps the status and the headers; no body at all."""

    def body(self) -> tuple[str, bytes]:
        return "", b""


class MaskedSilkyMiddleware(silk.middleware.SilkyMiddleware):  # type: ignore[misc]
    """Silk, with statements recorded by a wrapper of the connection instead of a patched compiler.

    Silk's own hook writes the parameters into the statement and runs an EXPLAIN for each; it stays out when
    `_execute_sql` is there already. The wrapper also sees what is run through a plain cursor.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        SQLCompiler._execute_sql = SQLCompiler.execute_sql  # type: ignore[attr-defined]
        silk.middleware.RequestModelFactory = MaskedRequest
        silk.middleware.ResponseModelFactory = MaskedResponse
        super().__init__(_recording(get_response))


def _recording(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    def recording(request: HttpRequest) -> HttpResponseBase:
        if not getattr(request, "silk_is_intercepted", False):
            return get_response(request)
        wrapped = connections.all()
        for connection in wrapped:
            connection.execute_wrappers.append(_record)
        try:
            return get_response(request)
        finally:
            for connection in wrapped:
                connection.execute_wrappers.remove(_record)

    return recording


def _record(execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    started = timezone.now()
    try:
        return execute(statement, params, many, context)
    finally:
        DataCollector().register_query(
            {
                "query": without_values(str(statement)),
                "start_time": started,
                "end_time": timezone.now(),
                "traceback": "".join(reversed(traceback.format_stack(limit=30))),
                "request": DataCollector().request,
            }
        )
