"""What the API answers is what its schema says, for inputs that are drawn from the schema itself."""

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from agents.models import Profile
from config.wsgi import application
from tests.attacks.conftest import Estate
from tests.attacks.test_bad_input import SCHEMA
from tests.factories import make_key

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
EXAMPLES = 6
generation = GenerationConfig(max_examples=EXAMPLES, deterministic=True, no_shrink=True)
schema = schemathesis.openapi.from_dict(
    SCHEMA, config=SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(generation=generation)))
)
schema.app = application
# A stream of events is no JSON document.
OPERATIONS = [
    operation
    for operation in (result.ok() for result in schema.get_all_operations())  # type: ignore[union-attr]
    if not operation.path.endswith("/events")
]


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Keep the connection of the test, and its transaction, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_answer_is_what_the_schema_says(operation: Any, estate: Estate, alice: Profile, settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = dict.fromkeys(settings.REQUESTS_PER_MINUTE, 10**9)
    headers = {"Authorization": f"Bearer {make_key(alice)}"}
    known = {name: value for name, value in estate.arguments.items() if f"{{{name}}}" in operation.path}

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy())
    def attack(case: Any) -> None:
        case.path_parameters.update(known)
        case.call_and_validate(headers=headers, checks=CHECKS)

    attack()
