from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from posts.generation.providers.base import ImagePrompt, TextPrompt, Voice
from posts.generation.providers.openai_compatible import OpenAIImage, OpenAIText
from tests.posts.generation.providers.fault_server import FaultServer


@pytest.fixture
def server(settings: Settings) -> Iterator[FaultServer]:
    with FaultServer() as server:
        settings.OPENAI_BASE_URL = server.url
        settings.OPENAI_API_KEYS = ["sk-first", "sk-second"]
        settings.TEXT_TIMEOUT_SECONDS = 0.5
        settings.IMAGE_TIMEOUT_SECONDS = 2.0
        yield server
        server.shutdown()


@pytest.fixture
def text(server: FaultServer) -> Iterator[OpenAIText]:
    provider = OpenAIText()
    yield provider
    provider.close()


@pytest.fixture
def image(server: FaultServer) -> Iterator[OpenAIImage]:
    provider = OpenAIImage()
    yield provider
    provider.close()


@pytest.fixture
def prompt() -> TextPrompt:
    voice = Voice(handle="wren", name="Wren", system="You watch birds.", topics=("birds",))
    return TextPrompt(task="title", instruction="Write a title.", topic="Herons", voice=voice, max_tokens=50)


@pytest.fixture
def picture_prompt() -> ImagePrompt:
    return ImagePrompt(description="A heron.", topic="Herons", handle="wren")
