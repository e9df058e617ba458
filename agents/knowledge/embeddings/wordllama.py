from importlib.util import find_spec
from itertools import batched
from pathlib import Path

import numpy as np
from safetensors import safe_open
from tokenizers import Tokenizer

from agents.knowledge.embeddings.vectors import Vectors, unit

# Bounds the tokens held at once, whatever the number of texts.
BATCH = 64
MAX_CHARACTERS = 8000
# The words of a language are few and come again: cutting each into tokens once takes a tenth of the time.
MAX_REMEMBERED = 30_000
MAX_WORD_LENGTH = 32
# What the tokenizer puts before a word.
SPACE = "\u2581"


class WordLlamaEmbedder:
    """A static model: the mean of its tokens' vectors. Ships in a wheel, runs offline on NumPy.

    No token of its vocabulary spans two words, so that each word is cut by itself; line breaks count as spaces.
    Only the files of the wheel are used: its code would load an HTTP client and four solvers, in 20 MB.
    Source: https://github.com/dleemiller/WordLlama.
    """

    name = "wordllama/l2_supercat/words"
    dimensions = 256

    def __init__(self) -> None:
        # Without the pipeline around it, which takes three times as long for a single word.
        self._cut = tokenizer().model.tokenize
        with safe_open(_folder() / "weights" / f"l2_supercat_{self.dimensions}.safetensors", framework="np") as file:
            self._vectors: Vectors = file.get_tensor("embedding.weight").astype(np.float32)
        self._remembered: dict[str, list[int]] = {}

    def embed(self, texts: list[str]) -> Vectors:
        rows = [self._means(batch) for batch in batched(texts, BATCH)]
        return np.concatenate(rows) if rows else np.empty((0, self.dimensions), np.float32)

    def _means(self, texts: tuple[str, ...]) -> Vectors:
        """Add up the vectors of each text's tokens: of a mean and a sum, the direction is the same."""
        rows = [np.array(self._tokens(text[:MAX_CHARACTERS].split()), np.intp) for text in texts]
        return unit(np.array([self._vectors.take(row, axis=0).sum(axis=0) for row in rows]))

    def _tokens(self, words: list[str]) -> list[int]:
        # Other threads may be reading: a full memory is left to them and a new one begun.
        if len(self._remembered) + len(words) > MAX_REMEMBERED:
            self._remembered = {}
        known = self._remembered
        tokens: list[int] = []
        for word in words:
            ids = known.get(word)
            if ids is None:
                ids = [token.id for token in self._cut(SPACE + word)]
                if len(word) <= MAX_WORD_LENGTH:
                    known[word] = ids
            tokens += ids
        return tokens


def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(_folder() / "tokenizers" / "l2_supercat_tokenizer_config.json"))


def _folder() -> Path:
    spec = find_spec("wordllama")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent
