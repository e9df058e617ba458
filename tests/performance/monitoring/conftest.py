from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from agents.models import Profile
from performance.caches.statistics import forget_unsent
from performance.metrics.recorder import Recorder, recorder

KEY = "a-monitoring-key-of-forty-characters-000"


@pytest.fixture(autouse=True)
def nothing_measured() -> Iterator[Recorder]:
    recorder.forget()
    forget_unsent()
    yield recorder
    recorder.forget()


@pytest.fixture
def operator(settings: Settings, db: None) -> Client:
    """A program that carries the monitoring key."""
    settings.MONITORING_KEY = KEY
    return Client(headers={"Authorization": f"Bearer {KEY}"})


@pytest.fixture
def staff(alice: Profile) -> Client:
    assert alice.user
    alice.user.is_staff = True
    alice.user.save(update_fields=["is_staff"])
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice.user)
    return client
