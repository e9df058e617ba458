"""A provider that fails in the middle of a run: it ends in one post or none, and the books say what was paid."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from agents.models import Agent
from posts.generation import providers
from posts.generation.engine import failing
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.models import DailyBudget, Run
from posts.generation.services.runs import create_run
from posts.models import Post
from tests.posts.generation.providers import fault_server as faults
from tests.posts.generation.providers.fault_cases import REFUSED, REFUSED_PICTURES
from tests.posts.generation.providers.fault_server import Behaviour, FaultServer, Handler

# In the shape of every step: each takes its own fields out of it.
WRITTEN = (
    '{"title": "Herons at dawn", "prompt": "A heron.", "alt": "A heron at dawn.", "body": "Herons wait, then strike."}'
)
STEPS_THAT_ASK = 4
CASES = [("chat/completions", name, *case) for name, case in REFUSED.items()]
# With two keys, as the provider's own tests have them, the second is used instead.
CASES += [("chat/completions", "slow down", *REFUSED_PICTURES["slow down"])]
CASES += [("images/generations", name, *case) for name, case in REFUSED_PICTURES.items()]


class Once:
    """Fails the first call to one endpoint, and answers every other as it should be."""

    def __init__(self, endpoint: str, behaviour: Behaviour) -> None:
        self.left = {endpoint: behaviour}

    def __call__(self, handler: Handler) -> None:
        endpoint = handler.path.removeprefix("/v1/")
        usual = faults.raw(faults.picture()) if endpoint == "images/generations" else faults.answer(WRITTEN)
        self.left.pop(endpoint, usual)(handler)


@pytest.fixture
def house(server: FaultServer, settings: Settings, media: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.TEXT_PROVIDER = settings.IMAGE_PROVIDER = "openai"
    # With a second key a 429 would not reach the engine.
    settings.OPENAI_API_KEYS = ["sk-first"]
    # A busy machine is no fault of the provider's.
    settings.TEXT_TIMEOUT_SECONDS = settings.IMAGE_TIMEOUT_SECONDS = 3.0
    monkeypatch.setattr(failing.random, "uniform", lambda low, high: 0.0)
    providers.forget()
    yield
    for provider in (providers.text_provider(), providers.image_provider()):
        provider.close()  # type: ignore[attr-defined]
    providers.forget()


@pytest.mark.parametrize(
    ("endpoint", "behaviour", "is_retryable", "is_paid"),
    [(endpoint, *case) for endpoint, _, *case in CASES],
    ids=[f"{endpoint}: {name}" for endpoint, name, *_ in CASES],
)
def test_a_fault_costs_one_call_and_no_post(
    wren: Agent, house: None, server: FaultServer, endpoint: str, behaviour: Any, is_retryable: bool, is_paid: bool
) -> None:
    server.usual = Once(endpoint, behaviour)
    run = create_run(agent=wren, topic="Herons")
    dispatcher = Dispatcher()
    dispatcher.run_until_settled([run.pk])
    dispatcher.close()
    run.refresh_from_db()
    keys = [headers["Idempotency-Key"] for headers, _ in server.requests]
    assert run.state == (Run.State.DONE if is_retryable else Run.State.FAILED), run.error
    assert Post.objects.count() == is_retryable
    # The faulty call alone is made again, under the key that it had.
    assert len(keys) - len(set(keys)) == is_retryable
    assert len(keys) == STEPS_THAT_ASK + 1 or not is_retryable
    budget = DailyBudget.objects.get(agent=wren)
    assert (budget.tokens_reserved, budget.micros_reserved) == (0, 0)
    used = sum(step.tokens_in + step.tokens_out for step in run.steps.all())
    assert (budget.tokens_spent > used) is is_paid and budget.tokens_spent >= used
