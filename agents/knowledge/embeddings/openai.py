import itertools
import json

import numpy as np
from django.conf import settings

from agents.knowledge.embeddings import EmbeddingFailed
from agents.knowledge.embeddings.vectors import Vectors, unit
from agents.knowledge.fetching import FetchFailed, ForbiddenAddress, fetch

BATCH = 64
TIMEOUT_SECONDS = 60.0
MAX_ANSWER_BYTES = 32 * 1024 * 1024


class OpenAIEmbedder:
    """Any endpoint that speaks OpenAI's embeddings API: a hosted one, Ollama, vLLM, llama.cpp.

    An endpoint in one's own network has to be named in `FETCH_ALLOWED_NETWORKS`.
    Source: https://platform.openai.com/docs/api-reference/embeddings.
    """

    def __init__(self) -> None:
        self._url = f"{str(settings.EMBEDDINGS['url']).rstrip('/')}/embeddings"
        self._model = settings.EMBEDDINGS["model"]
        self._key = settings.EMBEDDINGS["key"]
        self.name = f"openai/{self._model}"[:80]
        self.dimensions = int(str(settings.EMBEDDINGS["dimensions"]))

    def embed(self, texts: list[str]) -> Vectors:
        rows = [self._ask(list(batch)) for batch in itertools.batched(texts, BATCH)]
        return unit(np.concatenate(rows)) if rows else np.empty((0, self.dimensions), np.float32)

    def _ask(self, texts: list[str]) -> Vectors:
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        body = json.dumps({"model": self._model, "input": texts}).encode()
        try:
            answer = fetch(
                self._url,
                method="POST",
                headers=headers,
                body=body,
                timeout=TIMEOUT_SECONDS,
                max_bytes=MAX_ANSWER_BYTES,
            )
            rows = json.loads(answer.body)["data"]
            vectors = np.array([row["embedding"] for row in sorted(rows, key=lambda row: row["index"])], np.float32)
        except (FetchFailed, ForbiddenAddress, ValueError, KeyError, TypeError) as error:
            raise EmbeddingFailed(f"The embeddings endpoint gave no vectors: {error}") from error
        if vectors.shape != (len(texts), self.dimensions):
            raise EmbeddingFailed(f"The endpoint's vectors have the shape {vectors.shape}, not {self.dimensions} wide.")
        return vectors
