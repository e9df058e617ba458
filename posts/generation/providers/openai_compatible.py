"""Any server that speaks OpenAI's protocol, through the official SDK: OpenAI, vLLM, Ollama, LiteLLM and others."""

import base64
import binascii
from typing import Any

import httpx2
from django.conf import settings
from openai import OpenAI

from posts.generation.providers import faults
from posts.generation.providers.base import (
    ImagePrompt,
    ImageResult,
    ProviderError,
    TextPrompt,
    TextResult,
    Usage,
)
from posts.generation.providers.breaker import Breaker
from posts.generation.providers.keys import Keys
from posts.generation.providers.messages import messages_of
from posts.generation.providers.parsing import parse
from posts.generation.providers.transport import BoundedTransport

MOST_TEXT_BYTES = 1_000_000
MOST_IMAGE_BYTES = 30_000_000
MOST_TOKENS = 2_000_000


class _Server:
    """One server: its keys, its breaker, and a client that repeats nothing by itself."""

    def __init__(self, *, most_bytes: int, seconds: float) -> None:
        self._keys = Keys(settings.OPENAI_API_KEYS or ["none"])
        self._breaker = Breaker()
        timeout = httpx2.Timeout(seconds, connect=min(seconds, 5.0))
        # Redirects could lead anywhere with the key in hand.
        client = httpx2.Client(
            transport=BoundedTransport(most_bytes=most_bytes, seconds=seconds), timeout=timeout, follow_redirects=False
        )
        self._client = OpenAI(
            api_key="none",
            base_url=settings.OPENAI_BASE_URL or None,
            http_client=client,
            max_retries=0,
            timeout=timeout,
        )

    def close(self) -> None:
        self._client.close()

    def call(self, method: str, key: str, **arguments: Any) -> Any:
        """Make one call, with the next key when one is refused. Raises `ProviderError`."""
        self._breaker.check()
        for remaining in reversed(range(len(self._keys))):
            api_key = self._keys.take()
            client = self._client.with_options(api_key=api_key)
            target: Any = client.chat.completions.create if method == "chat" else client.images.generate
            try:
                answer = target(**arguments, extra_headers={"Idempotency-Key": key})
            except Exception as error:
                fault = faults.fault_of(error)
                self._breaker.record(is_success=not fault.is_outage)
                if fault.rest_key_seconds:
                    self._keys.rest(api_key, seconds=fault.rest_key_seconds)
                    if remaining:
                        continue
                raise fault.error from error
            self._breaker.record(is_success=True)
            return answer
        raise AssertionError("unreachable")


class OpenAIText:
    """Writes with a chat model."""

    def __init__(self) -> None:
        self._server = _Server(most_bytes=MOST_TEXT_BYTES, seconds=settings.TEXT_TIMEOUT_SECONDS)
        self.close = self._server.close

    def estimate(self, prompt: TextPrompt) -> Usage:
        # A token is seldom shorter than three characters: more is reserved than is used.
        length = sum(len(message["content"]) for message in messages_of(prompt))
        return self._priced(length // 3 + 100, prompt.max_tokens)

    def write(self, prompt: TextPrompt, *, key: str) -> TextResult:
        answer = self._server.call(
            "chat",
            key,
            model=settings.TEXT_MODEL,
            messages=messages_of(prompt),
            max_completion_tokens=prompt.max_tokens,
            temperature=prompt.temperature,
            response_format={"type": "json_object"},
        )
        usage = self._usage(answer, prompt)
        try:
            choice = answer.choices[0]
            text, reason = choice.message.content, choice.finish_reason
        except (AttributeError, IndexError, TypeError):
            raise ProviderError("The answer is no completion.", is_retryable=True, is_paid=True) from None
        if reason == "length":
            raise ProviderError("The answer was cut off.", is_retryable=True, is_paid=True)
        if not isinstance(text, str):
            raise ProviderError("The model declined.", is_paid=True)
        return TextResult(data=parse(prompt.task, text), model=settings.TEXT_MODEL, usage=usage)

    def _usage(self, answer: Any, prompt: TextPrompt) -> Usage:
        """Return what the server says it used, or the estimate when it says nothing sensible."""
        used = getattr(answer, "usage", None)
        tokens = (getattr(used, "prompt_tokens", None), getattr(used, "completion_tokens", None))
        if all(isinstance(number, int) and 0 <= number <= MOST_TOKENS for number in tokens):
            return self._priced(*tokens)  # type: ignore[arg-type]
        return self.estimate(prompt)

    @staticmethod
    def _priced(tokens_in: int, tokens_out: int) -> Usage:
        cost = tokens_in * settings.TEXT_MICROS_PER_MILLION_IN + tokens_out * settings.TEXT_MICROS_PER_MILLION_OUT
        return Usage(tokens_in=tokens_in, tokens_out=tokens_out, cost_micros=-(-cost // 1_000_000))


class OpenAIImage:
    """Draws with an image model."""

    def __init__(self) -> None:
        self._server = _Server(most_bytes=MOST_IMAGE_BYTES, seconds=settings.IMAGE_TIMEOUT_SECONDS)
        self.close = self._server.close

    def estimate(self, prompt: ImagePrompt) -> Usage:
        return Usage(tokens_in=len(prompt.description) // 3 + 1, cost_micros=settings.IMAGE_MICROS)

    def draw(self, prompt: ImagePrompt, *, key: str) -> ImageResult:
        answer = self._server.call(
            "image", key, model=settings.IMAGE_MODEL, prompt=prompt.description, size=settings.IMAGE_SIZE, n=1
        )
        try:
            # Only bytes in the answer itself: an address in it is not fetched.
            content = base64.b64decode(answer.data[0].b64_json, validate=True)
        except (AttributeError, IndexError, TypeError, binascii.Error, ValueError):
            raise ProviderError("The answer holds no image.", is_retryable=True, is_paid=True) from None
        return ImageResult(content=content, model=settings.IMAGE_MODEL, usage=self.estimate(prompt))
