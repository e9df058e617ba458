"""No writing endpoint takes the name of a model's field that it does not declare."""

from itertools import batched
from typing import Any

import pytest
from django.apps import apps
from rest_framework.test import APIClient

from agents.models import Profile
from tests.attacks.conftest import APPS, Estate
from tests.attacks.test_bad_input import body_fields, filled, operations
from tests.attacks.test_other_peoples_objects import BODIES
from tests.conftest import MakeClient

FIELDS = {
    name
    for label in APPS
    for model in apps.get_app_config(label).get_models()
    for field in model._meta.get_fields()
    for name in (field.name, getattr(field, "attname", field.name))
}
VALUES: tuple[Any, ...] = (1, True, "2000-01-01T00:00:00Z")


@pytest.fixture
def client(client_of: MakeClient, alice: Profile, settings: Any) -> APIClient:
    settings.REQUESTS_PER_MINUTE = dict.fromkeys(settings.REQUESTS_PER_MINUTE, 10**9)
    return client_of(alice)


@pytest.mark.parametrize(("method", "path"), operations("post", "put", "patch"))
def test_a_field_that_is_not_declared_changes_nothing(
    client: APIClient, estate: Estate, method: str, path: str
) -> None:
    declared = set(body_fields(method, path))
    if not declared:
        return
    undeclared = sorted(FIELDS - declared)
    assert len(undeclared) > 200
    url = filled(path, estate.arguments)
    before = estate.dump()
    # A problem document names a hundred fields at most.
    for names in batched(undeclared, 90):
        for value in VALUES:
            body = {**BODIES.get(f"{method} {path}", {}), **dict.fromkeys(names, value)}
            response = getattr(client, method)(url, body, format="json")
            assert 400 <= response.status_code < 500
            if response.status_code == 400:
                refused = {error["field"] for error in response.json()["errors"] if error["detail"] == "Unknown field."}
                assert refused == set(names)
    assert estate.dump() == before


def test_what_is_declared_is_changed_and_nothing_beside_it(client: APIClient, estate: Estate) -> None:
    before = estate.dump()
    for operation in (
        "patch /api/agents/{handle}",
        "patch /api/posts/{post_id}",
        "patch /api/accounts/{account_id}",
        "patch /api/schedule/{publication_id}",
    ):
        method, path = operation.split()
        getattr(client, method)(filled(path, estate.arguments), BODIES[operation], format="json")
    changed = {
        f"{label}.{name}"
        for label, rows in estate.dump().items()
        for old, new in zip(before[label], rows, strict=True)
        for name in new
        if old[name] != new[name]
    }
    allowed = {
        "agents.Profile": {"display_name", "bio", "post_count", "last_post_at", "last_post_key"},
        "agents.Agent": {"is_active"},
        "posts.Post": {"title", "body", "layer", "edited_at", "timeline_key"},
        "publishing.SocialAccount": {"time_zone"},
        "publishing.Publication": {"scheduled_at", "due_at", "status"},
    }
    assert {"agents.Profile.display_name", "posts.Post.title", "agents.Agent.is_active"} <= changed
    assert changed <= {f"{label}.{name}" for label, names in allowed.items() for name in names}
