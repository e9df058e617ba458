import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from posts.generation.providers.base import ImagePrompt, ProviderError, TextPrompt
from posts.generation.providers.openai_compatible import OpenAIImage, OpenAIText
from tests.concurrency import wait_until
from tests.posts.generation.providers import fault_server as faults
from tests.posts.generation.providers.fault_cases import REFUSED
from tests.posts.generation.providers.fault_server import Behaviour, FaultServer


def test_it_asks_for_json_with_a_stable_key_and_counts_what_it_cost(
    server: FaultServer, text: OpenAIText, prompt: TextPrompt
) -> None:
    result = text.write(prompt, key="run-1-title")
    assert result.data == {"title": "Herons at dawn"}
    assert (result.usage.tokens_in, result.usage.tokens_out) == (11, 7)
    headers, body = server.requests[0]
    assert (headers["Idempotency-Key"], headers["Authorization"]) == ("run-1-title", "Bearer sk-first")
    assert body["response_format"] == {"type": "json_object"} and "tools" not in body


def test_what_is_reserved_is_not_less_than_what_is_used(
    server: FaultServer, text: OpenAIText, prompt: TextPrompt
) -> None:
    used, reserved = text.write(prompt, key="k").usage, text.estimate(prompt)
    assert reserved.tokens >= used.tokens and reserved.cost_micros >= used.cost_micros


REPAIRED = {
    "in a fence": '```json\n{"title": "Herons"}\n```',
    "with prose around it": 'Sure! {"title": "Herons"} Hope this helps.',
    "with a field too many": '{"title": "Herons", "mood": "calm"}',
    "plain text where one text was asked for": "Herons",
}


@pytest.mark.parametrize("content", REPAIRED.values(), ids=REPAIRED)
def test_an_answer_is_repaired_where_that_is_safe(
    server: FaultServer, text: OpenAIText, prompt: TextPrompt, content: str
) -> None:
    server.script = [faults.answer(content)]
    assert text.write(prompt, key="k").data == {"title": "Herons"}


def test_a_nul_in_an_answer_does_no_harm(server: FaultServer, text: OpenAIText, prompt: TextPrompt) -> None:
    server.script = [faults.answer(r'{"title": "Her\u0000ons \\u0000"}')]
    assert text.write(prompt, key="k").data == {"title": r"Her ons \u0000"}


@pytest.mark.parametrize(("behaviour", "is_retryable", "is_paid"), REFUSED.values(), ids=REFUSED)
def test_a_faulty_answer_is_refused_for_what_it_is(
    server: FaultServer, text: OpenAIText, prompt: TextPrompt, behaviour: Behaviour, is_retryable: bool, is_paid: bool
) -> None:
    server.script = [behaviour]
    with pytest.raises(ProviderError) as caught:
        text.write(prompt, key="k")
    assert (caught.value.is_retryable, caught.value.is_paid) == (is_retryable, is_paid), caught.value
    # It is the engine that repeats, after a pause that holds no slot.
    assert len(server.requests) == 1


def test_a_server_that_is_not_there_was_not_paid(settings: Settings, prompt: TextPrompt) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.OPENAI_BASE_URL = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with closing(OpenAIText()) as text, pytest.raises(ProviderError) as caught:
            text.write(prompt, key="k")
    assert (caught.value.is_retryable, caught.value.is_paid) == (True, False)


def test_a_limited_key_rests_and_the_next_one_is_used(
    server: FaultServer, text: OpenAIText, prompt: TextPrompt
) -> None:
    server.script = [faults.raw(b"{}", status=429, Retry_After="60")]
    for _ in range(2):
        assert text.write(prompt, key="k").data == {"title": "Herons at dawn"}
    used = [headers["Authorization"] for headers, _ in server.requests]
    assert used == ["Bearer sk-first", "Bearer sk-second", "Bearer sk-second"]


def test_when_every_key_is_limited_the_pause_is_what_the_provider_asked_for(
    server: FaultServer, text: OpenAIText, prompt: TextPrompt
) -> None:
    server.script = [faults.raw(b"{}", status=429, Retry_After="40")] * 2
    with pytest.raises(ProviderError) as first:
        text.write(prompt, key="k")
    with pytest.raises(ProviderError) as second:
        text.write(prompt, key="k")
    assert first.value.retry_after == 40 and 39 < (second.value.retry_after or 0) <= 40
    assert len(server.requests) == 2


def test_a_refused_key_does_not_stop_the_others(server: FaultServer, text: OpenAIText, prompt: TextPrompt) -> None:
    server.script = [faults.raw(b'{"error": {"message": "Incorrect API key: sk-first"}}', status=401)]
    assert text.write(prompt, key="k").data == {"title": "Herons at dawn"}


def test_no_key_is_in_an_error(server: FaultServer, text: OpenAIText, prompt: TextPrompt) -> None:
    server.script = [faults.raw(b'{"error": {"message": "Incorrect API key: sk-first"}}', status=401)] * 2
    with pytest.raises(ProviderError) as caught:
        text.write(prompt, key="k")
    assert "sk-" not in str(caught.value) and not caught.value.is_retryable


def test_after_five_outages_in_a_row_nothing_is_sent(server: FaultServer, text: OpenAIText, prompt: TextPrompt) -> None:
    server.script = [faults.raw(b"{}", status=500)] * 9
    errors = []
    for _ in range(7):
        with pytest.raises(ProviderError) as caught:
            text.write(prompt, key="k")
        errors.append(caught.value)
    assert len(server.requests) == 5
    assert not errors[-1].is_paid and 0 < (errors[-1].retry_after or 0) <= 30


def test_it_takes_a_picture_out_of_the_answer(
    server: FaultServer, image: OpenAIImage, picture_prompt: ImagePrompt
) -> None:
    server.script = [faults.raw(faults.picture())]
    assert image.draw(picture_prompt, key="k").content.startswith(b"\x89PNG")


@pytest.mark.parametrize("data", [b"[]", b'[{"url": "http://127.0.0.1/x"}]', b'[{"b64_json": "%%%"}]'])
def test_an_answer_without_a_picture_is_refused_and_no_address_fetched(
    server: FaultServer, image: OpenAIImage, picture_prompt: ImagePrompt, data: bytes
) -> None:
    server.script = [faults.raw(b'{"created": 1, "data": %b}' % data)]
    with pytest.raises(ProviderError):
        image.draw(picture_prompt, key="k")
    assert len(server.requests) == 1


RULES = """
version: 1
rules:
  - name: limited
    when: {messages_contain: "slow down please"}
    respond: {status: 429, error: "rate limited"}
  - name: title
    when: {messages_contain: "Write a title."}
    respond: {content: '{"title": "A title from another house"}'}
"""


@pytest.fixture
def foreign_server(tmp_path: Path, settings: Settings) -> Iterator[None]:
    """A server for the wire format that nobody here wrote."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "fakellm.yaml").write_text(RULES)
    command = [sys.executable, "-m", "uvicorn", "fakellm.server:app", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, env={**os.environ, "FAKELLM_CONFIG": str(tmp_path / "fakellm.yaml")})

    def is_up() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_fakellm/stats", timeout=1):
                return True
        except OSError:
            return False

    try:
        wait_until(is_up)
        settings.OPENAI_BASE_URL = f"http://127.0.0.1:{port}/v1"
        yield
    finally:
        process.terminate()
        process.wait(10)


def test_it_works_with_a_server_that_others_wrote(foreign_server: None, prompt: TextPrompt) -> None:
    limited = TextPrompt(task="title", instruction="slow down please", topic="x", voice=prompt.voice)
    with closing(OpenAIText()) as text:
        assert text.write(prompt, key="k").data == {"title": "A title from another house"}
        with pytest.raises(ProviderError) as caught:
            text.write(limited, key="k")
    assert caught.value.is_retryable and caught.value.retry_after
