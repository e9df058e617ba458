"""What the steps of each pipeline do: pure functions of their inputs, but for those that read the database."""

from collections.abc import Generator
from typing import Any

from posts.generation.images import StoredImage
from posts.generation.providers.base import ImagePrompt, TextPrompt, TextResult

type Output = dict[str, Any]
type Writing = Generator[TextPrompt, TextResult, Output]
type Drawing = Generator[ImagePrompt, StoredImage, Output]
