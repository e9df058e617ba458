"""What an agent knows about a topic: paragraphs of its own knowledge and of what is common to all."""

from collections import Counter
from typing import Any

import orjson
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import IntegerField, Q, Value
from django.db.models.functions import Cast
from pgvector.django import CosineDistance, HalfVectorField

from agents.knowledge.embeddings import Embedder
from agents.knowledge.models import Content, Passage
from agents.knowledge.models.contents import DEFAULT_DIMENSIONS
from agents.knowledge.querysets import PassageQuerySet
from agents.models import Agent
from performance.prepared import PreparedRead, Size
from posts.generation.extracts import any_of, paragraphs, terms, weigh
from posts.generation.models import Run
from posts.generation.quoting import is_quotable
from posts.generation.vectors import local_embedder, vector_of

MOST = Size(100)
FRESH = 10
# A passage that is less near to a topic than this, in percent of the cosine, is about something else.
NEAR = 30
_FIELDS = ("content_id", "start", "end", "text", "content__title", "content__url", "content__agent_id")


def _by_vector(agent: int, vector: str, model: str, size: int) -> PassageQuerySet:
    # As the index has it, and only passages that are in it.
    stored = Cast("embedding", HalfVectorField(dimensions=DEFAULT_DIMENSIONS))
    distance = CosineDistance(stored, Cast(Value(vector), HalfVectorField(dimensions=DEFAULT_DIMENSIONS)))
    return (
        Passage.objects.filter(Q(agent=None) | Q(agent=agent))
        .filter(embedding_dimensions=DEFAULT_DIMENSIONS, embedding_model=model)
        .annotate(nearness=Cast(100 - 100 * distance, IntegerField()))
        .order_by(distance)[:size]
    )


def _by_words(agent: int, words: str, size: int) -> PassageQuerySet:
    query = SearchQuery(words, config="english", search_type="websearch")
    known = Passage.objects.filter(Q(agent=agent) | Q(agent=None), search_vector=query)
    return known.annotate(nearness=Value(100)).order_by(SearchRank("search_vector", query).desc(), "-id")[:size]


by_vector = PreparedRead(
    _by_vector,
    name="passages near a topic",
    shape=("nearness", *_FIELDS),
    agent=int,
    vector=str,
    model=str,
    size=MOST,
)
by_words = PreparedRead(
    _by_words, name="passages with the words of a topic", shape=("nearness", *_FIELDS), agent=int, words=str, size=MOST
)
fresh = PreparedRead(
    lambda agent: Content.objects.to_analyze().filter(agent=agent).order_by("-id")[:FRESH],
    name="knowledge that is not split yet",
    shape=("pk", "title", "url", "text"),
    agent=int,
)


def passages_about(*, run: Run, topic: str, limit: int = 6) -> list[dict[str, Any]]:
    """Return the passages that the agent knows about a topic, the best first, with their spans."""
    embedder = local_embedder()
    rows = _near(run.agent, topic, embedder, limit) if embedder else _with_words(run.agent, topic, limit)
    known = [_entry(*row[1:]) for row in rows if row[0] >= NEAR]
    # What is not split yet: the agent's own knowledge in the first minutes of its life.
    unsplit = [
        Content(agent=run.agent, pk=pk, title=title, url=url, text=text)
        for pk, title, url, text in (orjson.loads(row.json) for row in fresh.rows(agent=run.agent_id))
    ]
    return (passages_from(unsplit, topic=topic) + known)[:limit]


def _near(agent: Agent, topic: str, embedder: Embedder, limit: int) -> list[list[Any]]:
    rows = by_vector.rows(agent=agent.pk, vector=vector_of(topic), model=embedder.name, size=limit)
    return [orjson.loads(row.json) for row in rows]


def _with_words(agent: Agent, topic: str, limit: int) -> list[list[Any]]:
    words = any_of(list(dict.fromkeys(terms(topic))))
    return [orjson.loads(row.json) for row in by_words.rows(agent=agent.pk, words=words, size=limit)] if words else []


def passages_from(contents: list[Content], *, topic: str, limit: int = 6) -> list[dict[str, Any]]:
    """Return the readable paragraphs of some contents that bear most on a topic, with their spans."""
    wanted = Counter(dict.fromkeys(terms(topic), 1))
    found: list[tuple[float, dict[str, Any]]] = []
    for content in contents:
        is_own = content.agent_id is not None
        spans = [span for span in paragraphs(content.text) if is_quotable(span.text, is_own=is_own)]
        weights = weigh((f"{content.title} {span.text}" for span in spans), wanted=wanted)
        for number, (span, weight) in enumerate(zip(spans, weights, strict=True)):
            # The first paragraphs of a text say what it is about.
            text = content.text[span.start : span.end]
            entry = _entry(content.pk, span.start, span.end, text, content.title, content.url, content.agent_id)
            found.append((weight + 0.5 / (1 + number) if weight else 0.0, entry))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [entry for weight, entry in found[:limit] if weight]


def _entry(
    content_id: int, start: int, end: int, text: str, title: str, url: str, agent_id: int | None
) -> dict[str, Any]:
    return {
        "text": text,
        "title": title,
        "url": url,
        "content_id": content_id,
        "start": start,
        "end": end,
        "is_own": agent_id is not None,
    }
