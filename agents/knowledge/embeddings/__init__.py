"""Turning texts into vectors: one small interface, one model behind it, named by the settings.

NumPy is loaded with the first vector, not with this module: a web process that makes none does without its memory.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from agents.knowledge.embeddings.vectors import Vectors

EMBEDDERS = {
    "wordllama": "agents.knowledge.embeddings.wordllama.WordLlamaEmbedder",
    "openai": "agents.knowledge.embeddings.openai.OpenAIEmbedder",
}


class Embedder(Protocol):
    """A model that turns texts into vectors of length 1."""

    # Stored with each vector: a vector of another model is worth nothing to this one.
    name: str
    dimensions: int

    def embed(self, texts: list[str]) -> Vectors:
        """Return one row per text. Raises `EmbeddingFailed`."""
        ...


class EmbeddingFailed(Exception):
    """The model gave no vectors; the message says why."""


@cache
def current_embedder() -> Embedder:
    """Return the model that the settings name, loaded once per process."""
    embedder: Embedder = import_string(EMBEDDERS[str(settings.EMBEDDINGS["provider"])])()
    return embedder
