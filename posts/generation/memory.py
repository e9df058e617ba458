"""What an agent wrote about before, so that it does not say it again."""

from typing import Any

import orjson
from django.contrib.postgres.search import TrigramSimilarity
from django.db import connection
from django.db.models import Exists, OuterRef

from agents.inbox.models import Message
from agents.knowledge.embeddings import Embedder
from agents.models import Agent
from performance.prepared import PreparedRead
from performance.prepared.statement import Statement
from posts.generation.models import Memory, Run
from posts.generation.querysets import SAME_BODY, SAME_TEXT, MemoryQuerySet
from posts.generation.vectors import local_embedder, vector_of, written_out
from posts.models import Post
from posts.querysets import PostQuerySet

# Posts that are looked at for those that are not remembered yet.
RECENT_POSTS = 100
# Messages of a conversation that a new one is compared with, and how many characters say nothing by themselves.
RECENT_MESSAGES, SHORT_MESSAGE = 20, 40


def _others(run: int, agent: int) -> MemoryQuerySet:
    return Memory.objects.newest_of(agent).standing().exclude(run=run, is_refused=False).order_by("-id")


def _not_remembered(agent: int) -> PostQuerySet:
    recent = Post.objects.filter(author=agent, timeline_key__isnull=False).order_by("-timeline_key").values("pk")
    missing = ~Exists(Memory.objects.filter(post=OuterRef("pk")))
    return Post.objects.filter(missing, pk__in=recent[:RECENT_POSTS]).order_by("id")


near = PreparedRead(
    lambda run, agent, text, vector, model: _others(run, agent).near(text, vector=vector, model=model)[:1],
    name="memories near a topic",
    shape=("text",),
    run=int,
    agent=int,
    text=str,
    vector=str,
    model=str,
)
near_in_words = PreparedRead(
    lambda run, agent, text: _others(run, agent).near_in_words(text)[:1],
    name="memories with the words of a topic",
    shape=("text",),
    run=int,
    agent=int,
    text=str,
)
telling = PreparedRead(
    lambda agent, text, vector, model: Memory.objects.newest_of(agent).telling(text, vector=vector, model=model)[:1],
    name="posts that tell it",
    shape=("text",),
    agent=int,
    text=str,
    vector=str,
    model=str,
)
telling_in_words = PreparedRead(
    lambda agent, text: Memory.objects.newest_of(agent).telling_in_words(text)[:1],
    name="posts that tell it in its words",
    shape=("text",),
    agent=int,
    text=str,
)
not_remembered = PreparedRead(_not_remembered, name="posts to remember", shape=("pk", "title", "body"), agent=int)

# Rows that are there already stay as they are, so that it may be sent again.
_REMEMBER = Statement("""
INSERT INTO generation_memory
    (agent_id, run_id, post_id, text, is_refused, embedding, body_embedding, embedding_model)
SELECT agent_id, run_id, post_id, text, FALSE, embedding, body_embedding, embedding_model
FROM jsonb_to_recordset($1::jsonb) AS new(agent_id bigint, run_id bigint, post_id bigint, text text,
                                          embedding halfvec, body_embedding halfvec, embedding_model text)
ON CONFLICT DO NOTHING RETURNING id
""")


def is_near(*, run: Run, text: str) -> bool:
    """Whether an agent wrote, or is about to write, about the same as a text: in its words or in others."""
    embedder = local_embedder()
    if embedder is None:
        return near_in_words.one(run=run.pk, agent=run.agent_id, text=text) is not None
    vector = vector_of(text)
    return near.one(run=run.pk, agent=run.agent_id, text=text, vector=vector, model=embedder.name) is not None


def draft_of(*, agent: Agent, title: str, body: str) -> dict[str, Any]:
    """Return what will be remembered of a post that is about to be created."""
    (draft,) = _with_vectors([{"agent_id": agent.pk, "text": title}], bodies=[body])
    return draft


def is_told(draft: dict[str, Any], *, body: str) -> bool:
    """Whether a post of the agent tells what a new one would tell: in its words or in others."""
    agent, vector, model = draft["agent_id"], draft.get("body_embedding"), draft["embedding_model"]
    if vector is None:
        return telling_in_words.one(agent=agent, text=body) is not None
    return telling.one(agent=agent, text=body, vector=vector, model=model) is not None


def is_said(*, run: Run, body: str) -> bool:
    """Whether an agent's last messages in the conversation of a run say what a new one would say.

    What is short may be said again.
    """
    if len(body) < SHORT_MESSAGE:
        return False
    mine = Message.objects.filter(conversation=run.conversation_id, sender=run.agent_id).order_by("-id")
    said = mine.annotate(likeness=TrigramSimilarity("body", body)).values_list("body", "likeness")[:RECENT_MESSAGES]
    if any(likeness > SAME_BODY for _, likeness in said):
        return True
    texts = [text for text, _ in said if len(text) >= SHORT_MESSAGE]
    embedder = local_embedder()
    return embedder is not None and any(_same_as(embedder, body, texts))


def _same_as(embedder: Embedder, text: str, others: list[str]) -> list[bool]:
    """Return of each of some texts whether it says the same as one, by their vectors."""
    if not others:
        return []
    # Ten megabytes that a web process has no other use for.
    import numpy as np

    vectors = np.asarray(embedder.embed([text, *others]), dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    nearness = vectors[1:] @ vectors[0] / np.maximum(lengths[1:] * lengths[0], 1e-9)
    return [bool(near > 1 - SAME_TEXT) for near in nearness]


def remember_topic(*, run: Run, text: str) -> None:
    """Keep a topic from all other runs of its agent, unless this one comes to nothing."""
    _remember([{"agent_id": run.agent_id, "run_id": run.pk, "text": text}], bodies=[""])


def remember_posts(agent: Agent) -> None:
    """Remember the agent's posts that are not remembered yet, whoever or whatever wrote them."""
    posts = [orjson.loads(row.json) for row in not_remembered.rows(agent=agent.pk)]
    rows = [{"agent_id": agent.pk, "post_id": pk, "text": title} for pk, title, _ in posts]
    _remember(rows, bodies=[body for _, _, body in posts])


def _remember(rows: list[dict[str, Any]], *, bodies: list[str]) -> None:
    if rows:
        _REMEMBER.run(connection, [orjson.dumps(_with_vectors(rows, bodies=bodies))])


def _with_vectors(rows: list[dict[str, Any]], *, bodies: list[str]) -> list[dict[str, Any]]:
    embedder = local_embedder()
    complete = [
        {**row, "text": row["text"][:300], "embedding_model": embedder.name if embedder else ""} for row in rows
    ]
    if embedder is not None:
        told = iter(written_out(embedder, [body for body in bodies if body]))
        for row, body in zip(complete, bodies, strict=True):
            row |= {"embedding": vector_of(row["text"]), "body_embedding": next(told) if body else None}
    return complete
