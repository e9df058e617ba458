import itertools
from pathlib import Path

import numpy as np
import wordllama

from agents.knowledge.embeddings import Vectors, unit

# Bounds the tokens held at once, whatever the number of texts.
BATCH = 64
MAX_CHARACTERS = 8000


class WordLlamaEmbedder:
    """A static model: the mean of its words' vectors. Ships in a wheel, runs offline on NumPy.

    Source: https://github.com/dleemiller/WordLlama.
    """

    name = "wordllama/l2_supercat"
    dimensions = 256

    def __init__(self) -> None:
        folder = Path(wordllama.__file__).parent
        model = wordllama.WordLlama.load(cache_dir=folder, dim=self.dimensions, disable_download=True)
        self._tokenizer = model.tokenizer
        # The library pads every text of a batch to the longest; the mean needs none of that.
        self._tokenizer.no_padding()
        self._words: Vectors = model.embedding

    def embed(self, texts: list[str]) -> Vectors:
        rows = [self._means(list(batch)) for batch in itertools.batched(texts, BATCH)]
        return np.concatenate(rows) if rows else np.empty((0, self.dimensions), np.float32)

    def _means(self, texts: list[str]) -> Vectors:
        encodings = self._tokenizer.encode_batch([text[:MAX_CHARACTERS] for text in texts], add_special_tokens=False)
        sums = np.zeros((len(texts), self.dimensions), np.float32)
        for row, encoding in enumerate(encodings):
            if encoding.ids:
                sums[row] = self._words[encoding.ids].mean(axis=0)
        return unit(sums)
