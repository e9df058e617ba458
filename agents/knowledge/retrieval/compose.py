"""Writing an answer from passages. What a composer claims is believed only after the gate."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

from agents.knowledge.embeddings import current_embedder
from agents.knowledge.retrieval.search import Hit
from agents.knowledge.splitting import sentence_spans

MAX_SENTENCES = 5
MIN_WORDS = 5
# A sentence answers when it means nearly what is asked, or shares words with the question and means something
# near to it.
NEAR = 0.62
RELATED = 0.34
_WORD = re.compile(r"\w{4,}")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence said to be a fact, and the words of a passage that it rests on."""

    text: str
    passage_id: int
    quote: str


type Compose = Callable[[str, Sequence[Hit]], list[Claim]]


def current_composer() -> Compose:
    """Return the function that the settings name; the default needs no network."""
    compose: Compose = import_string(settings.ANSWER_COMPOSER)
    return compose


def extract(question: str, hits: Sequence[Hit]) -> list[Claim]:
    """Answer with the sentences of the passages that fit the question best, as they stand."""
    sentences = [(hit, sentence) for hit in hits for sentence in _sentences(hit.text)]
    if not sentences:
        return []
    vectors = current_embedder().embed([question, *(sentence for _, sentence in sentences)])
    nearness = vectors[1:] @ vectors[0]
    asked = _stems(question)
    rated = []
    for (hit, sentence), near in zip(sentences, nearness.tolist(), strict=True):
        shared = len(asked & _stems(sentence))
        if near >= NEAR or (shared and near >= RELATED):
            rated.append((near + 0.1 * min(shared, 5) + hit.score, hit, sentence))
    rated.sort(key=lambda row: -row[0])
    best: dict[str, Claim] = {}
    for _, hit, sentence in rated:
        best.setdefault(sentence, Claim(sentence, hit.passage_id, sentence))
    return list(best.values())[:MAX_SENTENCES]


def _sentences(text: str) -> list[str]:
    spans = sentence_spans(text, 0, len(text))
    return [text[start:end] for start, end in spans if len(text[start:end].split()) >= MIN_WORDS]


def _stems(text: str) -> set[str]:
    """Long words without their endings: near enough to say that two texts speak of the same."""
    return {word[:6] for word in _WORD.findall(text.lower())}
