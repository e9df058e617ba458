"""Turning texts into vectors: one small interface, one model behind it, named by the settings."""

from functools import cache
from typing import Protocol

import numpy as np
from django.conf import settings
from django.utils.module_loading import import_string
from numpy.typing import NDArray

type Vectors = NDArray[np.float32]

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


def unit(vectors: Vectors) -> Vectors:
    """Scale each row to length 1; a row of zeros becomes the first axis, so that cosines stay defined."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.where(lengths > 0, vectors, np.eye(1, vectors.shape[1], dtype=np.float32))
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
