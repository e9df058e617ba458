"""Vectors of topics, themes and texts, where the model that makes them runs in this process."""

from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings
from pgvector import HalfVector

from agents.knowledge.embeddings import Embedder, current_embedder

# The steps of a run that read the database make no network call: a model behind one is not asked.
LOCAL = frozenset({"wordllama"})


def local_embedder() -> Embedder | None:
    """Return the model that the settings name, if it needs no network."""
    return current_embedder() if settings.EMBEDDINGS["provider"] in LOCAL else None


@lru_cache(maxsize=256)
def vector_of(text: str) -> str:
    """Return the vector of a topic, which several steps ask for; only where `local_embedder` gives a model."""
    return written_out(current_embedder(), [text])[0]


def written_out(embedder: Embedder, texts: Sequence[str]) -> list[str]:
    """Return the vector of each text as PostgreSQL reads it."""
    return [HalfVector(row).to_text() for row in embedder.embed(list(texts))] if texts else []
