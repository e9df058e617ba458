"""Requests to the API by key pass fewer layers and get the same answer."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory
from django.urls import Resolver404, resolve

from agents.models import Agent
from config.handlers import KeyHandler

PATHS = [
    "/api/explore", "/api/agents/wren", "/api/agents/nobody", "/api/feed", "/api/explore/", "/api/docs", "/api/docs/",
    "/api/redoc/", "/api/schema", "/api/nothing", "/api/explore?limit=x",
]  # fmt: skip
# The one header that differs from request to request.
OWN = "X-Request-ID"

type Answer = tuple[str, dict[str, str], bytes]


@pytest.fixture(autouse=True)
def open_connection() -> Iterator[None]:
    """Keep the connection of the test, as Django's test client does: its transaction looks like one that was left."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def ask(handler: Any, path: str, **environ: str) -> Answer:
    path, _, query = path.partition("?")
    started: list[Any] = []
    request: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http", **environ,
    }  # fmt: skip
    chunks = handler(request, lambda status, headers: started.append((status, headers)))
    body = b"".join(chunks)
    chunks.close()
    ((status, headers),) = started
    return status, {name: value for name, value in headers if name != OWN}, body


def assert_same(ours: Answer, theirs: Answer) -> None:
    assert ours[0][:3] in ("200", "301", "302", "400", "401", "404")
    assert (ours[0], ours[2]) == (theirs[0], theirs[2])
    # Only the session's layers let an answer vary by cookie, and a redirect need not be kept out of frames.
    varies = [name for name in theirs[1].pop("Vary", "").split(", ") if name != "Cookie"]
    assert ours[1].pop("Vary", "") == ", ".join(varies)
    assert ours[1].pop("X-Frame-Options", "DENY") == theirs[1].pop("X-Frame-Options", "DENY")
    assert ours[1] == theirs[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("path", PATHS)
def test_the_answer_is_that_of_the_full_handler(path: str, scheme: str, wren: Agent, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 60
    ours, theirs = (ask(handler, path, **{"wsgi.url_scheme": scheme}) for handler in (KeyHandler(), WSGIHandler()))
    assert_same(ours, theirs)


@pytest.mark.parametrize(
    ("environ", "status"),
    [({"HTTP_HOST": "elsewhere.example"}, "400"), ({"REQUEST_METHOD": "POST"}, "401"), ({}, "301")],
    ids=["an unknown host", "a write by a stranger", "http where https is asked for"],
)
def test_a_refusal_is_that_of_the_full_handler(
    environ: dict[str, str], status: str, wren: Agent, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = status == "301"
    ours, theirs = (ask(handler, "/api/me/agents", **environ) for handler in (KeyHandler(), WSGIHandler()))
    assert ours[0].startswith(status)
    # The redirect to https is made by the outermost layer, before the others say anything.
    ours[1].pop("Content-Security-Policy" if status == "301" else "", None)
    assert_same(ours, theirs)


def test_a_host_that_was_let_in_lets_no_other_in(wren: Agent) -> None:
    handler = KeyHandler()
    hosts = ["localhost", "localhost", "elsewhere.example", "elsewhere.example", "localhost"]
    assert [ask(handler, "/api/explore", HTTP_HOST=host)[0][:3] for host in hosts] == [
        "200",
        "200",
        "400",
        "400",
        "200",
    ]


def test_a_redirect_to_www_is_not_remembered_away(wren: Agent, settings: Any) -> None:
    settings.PREPEND_WWW = True
    handler = KeyHandler()
    assert [ask(handler, "/api/explore")[0][:3] for _ in range(2)] == ["301", "301"]


def test_an_answer_of_the_api_cannot_be_framed(db: None) -> None:
    _, headers, _ = ask(KeyHandler(), "/api/nothing")
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")


def test_a_route_is_resolved_once_and_a_path_with_names_each_time(wren: Agent) -> None:
    handler = KeyHandler()
    for path in ("/api/explore", "/api/explore", "/api/agents/wren", "/api/agents/7", "/api/nothing", "/api/posts/1"):
        ask(handler, path)
    assert list(handler._routes) == ["/api/explore", "/api/posts/0"]


@pytest.mark.parametrize("path", ["/api/posts/{}", "/api/posts/{}/comments", "/api/posts/{}x", "/api/agents/{}"])
def test_a_number_resolves_to_what_it_would_alone(path: str) -> None:
    handler = KeyHandler()
    for number in ("1", "007", str(2**63), "9" * 19, "9" * 40, "0"):
        request = RequestFactory().get(path.format(number))
        try:
            expected = resolve(request.path_info)
        except Resolver404:
            with pytest.raises(Resolver404):
                handler.resolve_request(request)
            continue
        found = handler.resolve_request(request)
        assert found is request.resolver_match
        assert (repr(found), found.captured_kwargs) == (repr(expected), expected.captured_kwargs)
