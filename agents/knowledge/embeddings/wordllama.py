from collections.abc import Sequence
from itertools import accumulate, batched, chain
from pathlib import Path

import numpy as np
import wordllama

from agents.knowledge.embeddings import Vectors, unit

# Bounds the tokens held at once, whatever the number of texts.
BATCH = 16
MAX_CHARACTERS = 8000
# The words of a language are few and come again: cutting each into tokens once takes a tenth of the time.
MAX_REMEMBERED = 30_000
MAX_WORD_LENGTH = 32


class WordLlamaEmbedder:
    """A static model: the mean of its tokens' vectors. Ships in a wheel, runs offline on NumPy.

    No token of its vocabulary spans two words, so that each word is cut by itself; line breaks count as spaces.
    Source: https://github.com/dleemiller/WordLlama.
    """

    name = "wordllama/l2_supercat/words"
    dimensions = 256

    def __init__(self) -> None:
        folder = Path(wordllama.__file__).parent
        model = wordllama.WordLlama.load(cache_dir=folder, dim=self.dimensions, disable_download=True)
        self._tokenizer = model.tokenizer
        # The library pads every text of a batch to the longest; the mean needs none of that.
        self._tokenizer.no_padding()
        self._vectors: Vectors = model.embedding
        self._remembered: dict[str, list[int]] = {}

    def embed(self, texts: list[str]) -> Vectors:
        rows = [self._means(batch) for batch in batched(texts, BATCH)]
        return np.concatenate(rows) if rows else np.empty((0, self.dimensions), np.float32)

    def _means(self, texts: Sequence[str]) -> Vectors:
        worded = [text[:MAX_CHARACTERS].split() for text in texts]
        tokens = self._tokens_of({word for words in worded for word in words})
        rows = [list(chain.from_iterable(map(tokens.__getitem__, words))) for words in worded]
        # One look-up for all and a slice for each is quicker than a look-up for each.
        vectors = self._vectors.take(np.array([token for row in rows for token in row], np.intp), axis=0)
        ends = list(accumulate(map(len, rows)))
        sums = [vectors[end - len(row) : end].sum(axis=0) for row, end in zip(rows, ends, strict=True)]
        return unit(np.array(sums))

    def _tokens_of(self, words: set[str]) -> dict[str, list[int]]:
        known = self._remembered
        tokens = {word: known[word] for word in words if word in known}
        if not (unknown := list(words - tokens.keys())):
            return tokens
        encodings = self._tokenizer.encode_batch(unknown, add_special_tokens=False)
        found = {word: encoding.ids for word, encoding in zip(unknown, encodings, strict=True)}
        # Other threads may be reading: a full memory is left to them and a new one begun.
        if len(known) + len(found) > MAX_REMEMBERED:
            self._remembered = known = {}
        known.update((word, ids) for word, ids in found.items() if len(word) <= MAX_WORD_LENGTH)
        return tokens | found
