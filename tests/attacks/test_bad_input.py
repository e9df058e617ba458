"""Every field and parameter of every endpoint, against every value that broke somebody's API before."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from agents.models import Agent, Profile
from tests.attacks.corpus import PAGING, POISON, VALUES
from tests.conftest import MakeClient
from tests.factories import make_comment, make_community, make_post

SCHEMA = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]


def operations(*methods: str) -> list[tuple[str, str]]:
    return [(method, path) for path, item in SCHEMA["paths"].items() for method in item if method in methods]


def body_fields(method: str, path: str) -> Iterator[str]:
    content = SCHEMA["paths"][path][method].get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    component = SCHEMA["components"]["schemas"].get(reference.rpartition("/")[2], {})
    yield from component.get("properties", {})


def query_names(path: str) -> list[str]:
    parameters = SCHEMA["paths"][path]["get"].get("parameters", [])
    return [parameter["name"] for parameter in parameters if parameter["in"] == "query"]


@pytest.fixture
def paths(wren: Agent, alice: Profile) -> dict[str, str]:
    post = make_post(author=wren.profile)
    make_community("garden")
    return {"post_id": str(post.pk), "comment_id": str(make_comment(post=post).pk), "handle": "wren", "name": "garden"}


@pytest.fixture
def client(client_of: MakeClient, alice: Profile, settings: Any) -> APIClient:
    settings.REQUESTS_PER_MINUTE = dict.fromkeys(settings.REQUESTS_PER_MINUTE, 10**9)
    client = client_of(alice)
    client.raise_request_exception = False
    return client


def filled(path: str, known: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda match: known.get(match[1], "1"), path)


def check(response: Any, case: str) -> dict[str, Any]:
    """A request that is wrong is refused with a problem document, and never breaks the server."""
    assert response.status_code < 500, f"{case}: {response.status_code}"
    if response.status_code < 400:
        return {}
    assert response.headers["Content-Type"] == "application/problem+json", case
    problem: dict[str, Any] = json.loads(response.content)
    assert problem["status"] == response.status_code, case
    return problem


@pytest.mark.parametrize(("method", "path"), operations("post", "put", "patch"))
def test_no_value_of_any_field_breaks_the_server(
    client: APIClient, paths: dict[str, str], method: str, path: str
) -> None:
    for field in body_fields(method, path):
        for name, value in VALUES.items():
            body = f"{{{json.dumps(field)}: {value}}}"
            response = getattr(client, method)(filled(path, paths), body, content_type="application/json")
            problem = check(response, f"{field} is {name}")
            if name in POISON and response.status_code == 400 and "errors" in problem:
                assert any(error["field"].startswith(field) for error in problem["errors"]), f"{field} is {name}"
            assert not (name in POISON and response.status_code < 400), f"{field} took {name}"


@pytest.mark.parametrize(("method", "path"), operations("post", "put", "patch"))
def test_a_body_that_is_no_object_is_refused(client: APIClient, paths: dict[str, str], method: str, path: str) -> None:
    if not list(body_fields(method, path)):
        return
    for body in ("", "{", "[]", '"x"', "null", "1", "{}}", '{"a": 1, "a": NaN}', "\xff"):
        response = getattr(client, method)(filled(path, paths), body.encode("latin-1"), content_type="application/json")
        check(response, repr(body))
    response = getattr(client, method)(filled(path, paths), '{"is_staff": true}', content_type="application/json")
    problem = check(response, "unknown field")
    if "errors" in problem:
        assert "is_staff" in {error["field"] for error in problem["errors"]}


@pytest.mark.parametrize("path", [path for _, path in operations("get")])
def test_no_value_of_any_parameter_breaks_the_server(client: APIClient, paths: dict[str, str], path: str) -> None:
    for parameter in query_names(path):
        for name, value in (PAGING if parameter in ("limit", "cursor") else VALUES).items():
            if len(value) > 6000:
                continue
            plain = value.strip('"').encode("utf-8", "surrogatepass")
            check(client.get(f"{filled(path, paths)}?{parameter}={quote(plain)}"), f"{parameter} is {name}")


@pytest.mark.parametrize(("method", "path"), operations("get", "post", "put", "patch", "delete"))
def test_an_unknown_parameter_is_refused(client: APIClient, paths: dict[str, str], method: str, path: str) -> None:
    # Networks add parameters of their own to what their consent pages send back.
    if path == "/api/accounts/callback/{network}":
        return
    response = getattr(client, method)(f"{filled(path, paths)}?surprise=1")
    problem = check(response, "surprise")
    assert response.status_code == 404 or {error["field"] for error in problem["errors"]} >= {"surprise"}


@pytest.mark.parametrize("path", [path for _, path in operations("get") if "{" in path])
def test_no_path_breaks_the_server(client: APIClient, path: str) -> None:
    for value in (
        "0",
        "9" * 30,
        "%00",
        "%ed%a0%80",
        "%F0%9F%90%A6",
        "a" * 5000,
        "..%2f",
        "%D0%B0lice",
        "-1",
        "wren%20",
    ):
        check(client.get(re.sub(r"{\w+}", value, path)), value[:20])


def test_what_no_text_may_hold_is_named_at_any_depth(client: APIClient) -> None:
    body = '{"rows": [{"text": "fine"}, {"text": "\\ud83d\\ude00 \\u0000", "\\ud800": [["\\udfff"]]}]}'
    response = client.post("/api/schedule/import", body, content_type="application/json")
    fields = {error["field"] for error in response.json()["errors"]}
    assert fields == {"rows[1].text", "rows[1].\\ud800", "rows[1].\\ud800[0][0]"}


def test_a_problem_document_stays_small(client: APIClient, wren: Agent) -> None:
    for body in ({"scopes": ["x" * 900_000]}, {"scopes": ["x"] * 100_000}, {"x" * 900_000: 1}):
        response = client.post("/api/keys", body, format="json")
        assert response.status_code == 400
        assert len(response.content) < 100_000
