"""Provider calls: made on threads that can not reach the database."""

import time
from typing import NoReturn

from django.db import connections

from posts.generation import images, providers
from posts.generation.engine.flights import Answer, Call, Flight
from posts.generation.leaks import refuse_leaks
from posts.generation.providers.base import ImagePrompt, Prompt, ProviderError, Usage


class QueryWhileWaiting(RuntimeError):
    """A connection was wanted on a thread that waits for a provider."""


def refuse_connections() -> None:
    """Let this thread connect to no database: no connection can then be held while a provider is awaited."""

    def refuse() -> NoReturn:
        raise QueryWhileWaiting("No query while a provider is awaited.")

    for connection in connections.all():
        connection.connect = refuse  # type: ignore[method-assign]


def estimate(prompt: Prompt) -> Usage:
    """Return the most that a call can take: what is reserved for it."""
    if isinstance(prompt, ImagePrompt):
        return providers.image_provider().estimate(prompt)
    return providers.text_provider().estimate(prompt)


def perform(flight: Flight, call: Call) -> Answer:
    """Make one call and return its answer, whatever happens; an image is checked and stored here too."""
    answer = Answer(flight, call, None, None, "", Usage(), 0.0)
    # The same for every try of this step: a provider that knows idempotency keys charges once.
    key = f"aviary-{flight.run.pk}-{call.row.name}-{call.input_hash.hex()[:16]}"
    started = time.perf_counter()
    try:
        if isinstance(call.prompt, ImagePrompt):
            drawn = providers.image_provider().draw(call.prompt, key=key)
            answer.model, answer.usage, answer.result = drawn.model, drawn.usage, images.store(drawn)
        else:
            written = providers.text_provider().write(call.prompt, key=key)
            refuse_leaks(call.prompt, written.data)
            answer.model, answer.usage, answer.result = written.model, written.usage, written
    except ProviderError as error:
        answer.error = error
    except Exception as error:  # noqa: BLE001
        answer.error = ProviderError(f"{type(error).__name__}: {error}", is_paid=True)
    answer.provider_ms = (time.perf_counter() - started) * 1000
    return answer
