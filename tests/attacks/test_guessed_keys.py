"""A thousand guesses cost ten look-ups at most, and the holder of a good key does not notice."""

import secrets
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from pytest_django.fixtures import Settings

from agents.api import authentication, callers, guesses
from agents.models import Profile
from tests.conftest import MakeClient
from tests.factories import make_key

GUESSES = 1000
PAGE = "/api/me/profile"


@pytest.fixture
def looked_up() -> Iterator[list[bytes]]:
    """Write down every key that the database is asked for."""
    digests: list[bytes] = []

    def find(digest: bytes) -> object:
        digests.append(digest)
        return original(digest)

    original = callers.find_key
    with patch.object(authentication, "find_key", find), patch.object(guesses, "find_key", find):
        yield digests


def guess(near: str) -> str:
    """Change some characters of a real key, as somebody does who knows what keys look like."""
    return near[: secrets.randbelow(40) + 4] + secrets.token_urlsafe(64)[: len(near)]


def test_a_thousand_guesses_are_ten_look_ups_and_lock_nobody_out(
    client_of: MakeClient, alice: Profile, looked_up: list[bytes]
) -> None:
    real = make_key(alice)
    client, holder = client_of(None), client_of(alice)
    answers = set()
    for number in range(GUESSES):
        # From the moment on at which a minute is full, only the limit is measured.
        answers.add(client.get(PAGE, headers={"X-API-Key": guess(real)}).status_code)
        if number % 250 == 0:
            assert holder.get(PAGE).status_code == 200
            looked_up.pop()
    assert answers <= {401, 429}
    # Two, should a minute end meanwhile.
    assert len(looked_up) <= 20
    assert holder.get(PAGE).status_code == 200


def test_a_key_from_before_the_secret_changed_goes_on_and_is_not_locked_out(
    client_of: MakeClient, alice: Profile, settings: Settings, looked_up: list[bytes]
) -> None:
    holder = client_of(alice)
    settings.SECRET_KEY = "another secret"
    assert holder.get(PAGE).status_code == 200
    for _ in range(30):
        client_of(None).get(PAGE, headers={"X-API-Key": "avy_00000000_" + secrets.token_urlsafe(40)})
    assert holder.get(PAGE).status_code == 200


def test_a_fallback_secret_still_seals(client_of: MakeClient, alice: Profile, settings: Settings) -> None:
    holder = client_of(alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret"
    with patch.object(authentication, "find_unsealed_key", return_value=None):
        assert holder.get(PAGE).status_code == 200
