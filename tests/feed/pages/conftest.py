from collections.abc import Callable

import pytest
from django.test import Client

from agents.models import Profile


@pytest.fixture
def browser_of(db: None) -> Callable[[Profile | None], Client]:
    """Make a client that is logged in as a person, or nobody, and checks forms for forgery as browsers' are."""

    def make(person: Profile | None = None) -> Client:
        client = Client()
        if person is not None and person.user is not None:
            client.force_login(person.user)
        return client

    return make
