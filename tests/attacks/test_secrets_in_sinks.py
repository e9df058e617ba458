"""Secrets that a request carries stand in no log, no problem document and no header of the answer."""

import logging
from typing import Any

import pytest

from agents.models import Profile
from tests.conftest import MakeClient

WORDS = [f"canarysecret{number:02}" for number in range(12)]
HEADERS = ("Authorization", "X-API-Key", "Cookie", "Proxy-Authorization", "X-Auth-Token", "Idempotency-Key")


@pytest.mark.parametrize("threshold", [0.0, 1000.0], ids=["all is slow", "nothing is slow"])
def test_no_secret_of_a_request_is_written_anywhere(
    client_of: MakeClient, alice: Profile, settings: Any, caplog: pytest.LogCaptureFixture, threshold: float
) -> None:
    settings.SLOW_QUERY_THRESHOLD = threshold
    caplog.set_level(logging.DEBUG)
    client = client_of(alice)
    client.raise_request_exception = False
    text = ""
    for word, header in zip(WORDS, HEADERS, strict=False):
        value = f"Bearer avy_{word}" if header == "Authorization" else f"{word}=1"
        response = client_of(None).get("/api/me/profile", headers={header: value})
        text += response.content.decode() + str(response.headers)
    bodies = (
        ("/api/auth/token", {"username": "alice", "password": WORDS[6]}),
        ("/api/auth/token", {"username": ["alice"], "password": WORDS[7]}),
        ("/api/accounts", {"network": "webhook", "password": WORDS[8]}),
        ("/api/accounts", {"network": "x", "identifier": 1, "password": WORDS[9]}),
    )
    for address, body in bodies:
        response = client.post(address, body, format="json")
        text += response.content.decode() + str(response.headers)
    for address in (f"/api/explore?token={WORDS[10]}", f"/api/accounts/callback/x?state=a&code={WORDS[11]}"):
        response = client.get(address)
        text += response.content.decode() + str(response.headers)
    written = caplog.text + "".join(str(vars(record).get("performance", "")) for record in caplog.records)
    assert not [word for word in WORDS if word in text]
    assert not [word for word in WORDS if word in written]
    assert caplog.records
