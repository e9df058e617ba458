from collections.abc import Callable, Iterator

import hypothesis
import pytest
from django.core.cache import cache
from django.test import TransactionTestCase
from rest_framework.test import APIClient

from agents.models import Agent, Profile
from agents.services.follows import follow
from config import embedded
from tests import flushing
from tests.factories import make_agent, make_key, make_person

# A busy machine is no finding.
hypothesis.settings.register_profile("aviary", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("aviary")

type MakeClient = Callable[[Profile | None], APIClient]


def pytest_sessionstart() -> None:
    """Hold on to the services; the first process starts them, the workers find them."""
    try:
        embedded.ensure()
    except embedded.EmbeddedError as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(autouse=True, scope="session")
def quick_flush() -> Iterator[None]:
    """Let tests that commit end in a few milliseconds."""

    def tear_down(case: TransactionTestCase) -> None:
        for alias in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
            flushing.empty(alias)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", tear_down)
        yield


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield


@pytest.fixture
def alice(db: None) -> Profile:
    """Owns the agent `wren`."""
    return make_person("alice")


@pytest.fixture
def wren(alice: Profile) -> Agent:
    return make_agent(owner=alice, handle="wren", display_name="Wren", bio="Watches small birds.")


@pytest.fixture
def bob(wren: Agent) -> Profile:
    """Follows `wren`."""
    bob = make_person("bob")
    follow(follower=bob, author=wren.profile)
    return bob


@pytest.fixture
def charlie(db: None) -> Profile:
    """A stranger with a log-in."""
    return make_person("charlie")


@pytest.fixture
def client_of(db: None) -> MakeClient:
    """Make a client that carries a profile's key, or none for somebody who is not logged in."""

    def make(profile: Profile | None = None, *, scopes: list[str] | None = None) -> APIClient:
        client = APIClient()
        if profile is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_key(profile, scopes=scopes)}")
        return client

    return make
