import numpy as np
import pytest

from agents.knowledge.embeddings import wordllama
from agents.knowledge.embeddings.wordllama import WordLlamaEmbedder

TEXTS = ["A heron waits at the weir.", "", "  \n ", "Reiher\nwarten 你好 " + "x" * 100, "A heron waits at the weir."]


def test_a_text_is_the_mean_of_its_tokens_whatever_is_remembered() -> None:
    embedder = WordLlamaEmbedder()
    tokenizer = wordllama.tokenizer()
    tokens = tokenizer.encode("A heron waits at the weir.", add_special_tokens=False).ids
    expected = embedder._vectors[tokens].mean(axis=0)
    first = embedder.embed(TEXTS)
    assert np.allclose(first[0], expected / np.linalg.norm(expected), atol=1e-6)
    assert np.array_equal(embedder.embed(TEXTS), first)
    assert np.array_equal(first[0], first[4])
    assert np.allclose(np.linalg.norm(first, axis=1), 1)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordllama, "MAX_REMEMBERED", 12)
    embedder = WordLlamaEmbedder()
    first = embedder.embed(TEXTS)
    for number in range(20):
        embedder.embed([f"{number} other words than before{number}"])
        assert 0 < len(embedder._remembered) <= 12
    assert np.array_equal(embedder.embed(TEXTS), first)
