"""From contents to what is searched: passages, vectors, near duplicates."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from django.db import connection, transaction
from django.db.models.functions import MD5, Now
from pgvector import HalfVector
from pgvector.psycopg.halfvec import register_halfvec_info
from psycopg.types import TypeInfo

from agents.knowledge.embeddings import Embedder, current_embedder
from agents.knowledge.models import Content, Passage
from agents.knowledge.near_duplicates import is_near_duplicate, sketch_of
from agents.knowledge.splitting import spans_of

BATCH = 25


def index_pending(*, limit: int = 1000) -> int:
    """Split and embed contents that are due, the oldest first; return how many. Safe to run at the same time."""
    done = 0
    while done < limit:
        batch = list(Content.objects.for_indexing().order_by("pk")[:BATCH])
        if not batch:
            break
        index(batch)
        done += len(batch)
    return done


def index(contents: Sequence[Content]) -> None:
    """Split contents into passages and embed these. Raises `EmbeddingFailed` with nothing changed."""
    embedder = current_embedder()
    drafts = {content.pk: _passages(content) for content in contents}
    flat = [passage for passages in drafts.values() for passage in passages]
    vectors = embedder.embed([embedded_text(passage) for passage in flat])
    for passage, vector in zip(flat, vectors, strict=True):
        passage.embedding = HalfVector(vector)
        passage.embedding_model, passage.embedding_dimensions = embedder.name, embedder.dimensions
    _store(contents, drafts)


def embedded_text(passage: Passage) -> str:
    return f"{passage.heading}\n{passage.text}" if passage.heading else passage.text


def _passages(content: Content) -> list[Passage]:
    passages = [
        Passage(content=content, agent_id=content.agent_id, start=start, end=end, text=content.text[start:end])
        for start, end in spans_of(content.text)
    ]
    if passages and not content.text.startswith(content.title.removesuffix("…")):
        passages[0].heading = content.title
    return passages


@transaction.atomic
def _store(contents: Sequence[Content], drafts: dict[int, list[Passage]]) -> None:
    hashes = {content.pk: hashlib.md5(content.text.encode(), usedforsecurity=False).hexdigest() for content in contents}
    locked = (
        Content.objects.select_for_update()
        .filter(pk__in=hashes)
        .order_by("pk")
        .annotate(hash=MD5("text"))
        .values_list("pk", "hash", "analyzed_at")
    )
    # Not those that somebody else indexed or changed since they were read.
    due = {pk for pk, text_hash, analyzed_at in locked if analyzed_at is None and hashes[pk] == text_hash}
    Passage.objects.filter(content__in=due).delete()
    _copy([passage for pk in sorted(due) for passage in drafts[pk]])
    rows = [content for content in contents if content.pk in due]
    for content in rows:
        content.sketch = sketch_of(content.text)
        content.embedding = _mean(drafts[content.pk])
        content.analyzed_at = Now()
    Content.objects.bulk_update(rows, ["sketch", "embedding", "analyzed_at"])
    _mark_near_duplicates(rows)


_COPY = """
COPY knowledge_passage
    (content_id, agent_id, start, "end", text, heading, embedding, embedding_model, embedding_dimensions)
FROM STDIN (FORMAT BINARY)
"""
_TYPES = ("int8", "int8", "int4", "int4", "text", "varchar", "halfvec", "varchar", "int2")


def _copy(passages: list[Passage]) -> None:
    """Write new passages as bytes: spelling out vectors as text takes longer than making them."""
    with connection.cursor() as cursor, connection.connection.cursor() as raw:
        cursor.execute("SELECT oid, typarray FROM pg_type WHERE oid = 'halfvec'::regtype")
        register_halfvec_info(raw, TypeInfo("halfvec", *cursor.fetchone()))
        with raw.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for passage in passages:
                copy.write_row(
                    (
                        passage.content_id,
                        passage.agent_id,
                        passage.start,
                        passage.end,
                        passage.text,
                        passage.heading,
                        passage.embedding,
                        passage.embedding_model,
                        passage.embedding_dimensions,
                    )
                )


def _mean(passages: list[Passage]) -> HalfVector:
    mean = np.mean([passage.embedding.to_numpy() for passage in passages], axis=0, dtype=np.float32)
    return HalfVector(mean / (np.linalg.norm(mean) or 1))


def _mark_near_duplicates(contents: Sequence[Content]) -> None:
    """Point each content that says what an older one of the same knowledge says to that one."""
    texts = {content.pk: content.text for content in contents}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT younger.id, older.id, older.text FROM knowledge_content younger
            JOIN knowledge_content older ON older.sketch && younger.sketch AND older.sketch <> '{}'
                AND older.id < younger.id AND older.agent_id IS NOT DISTINCT FROM younger.agent_id
                AND older.near_duplicate_of_id IS NULL
            WHERE younger.id = ANY(%s) AND younger.sketch <> '{}' ORDER BY younger.id, older.id
            """,
            [list(texts)],
        )
        candidates = defaultdict[int, list[tuple[int, str]]](list)
        for younger, older, text in cursor.fetchall():
            candidates[younger].append((older, text))
    marked: set[int] = set()
    for younger in sorted(candidates):
        for older, text in candidates[younger][:10]:
            if older not in marked and is_near_duplicate(texts[younger], text):
                Content.objects.filter(pk=younger).update(near_duplicate_of=older)
                marked.add(younger)
                break


def reembed(*, limit: int = 1000, embedder: Embedder | None = None) -> int:
    """Embed passages anew that another model embedded; return how many."""
    model = embedder or current_embedder()
    done = 0
    while done < limit:
        stale = Passage.objects.not_embedded_by(model.name, model.dimensions)
        batch = list(
            stale.order_by("embedding_model", "pk").only("content_id", "heading", "text", "embedding_model")[:BATCH]
        )
        if not batch:
            break
        for passage, vector in zip(batch, model.embed([embedded_text(passage) for passage in batch]), strict=True):
            passage.embedding = HalfVector(vector)
            passage.embedding_model, passage.embedding_dimensions = model.name, model.dimensions
        Passage.objects.bulk_update(batch, ["embedding", "embedding_model", "embedding_dimensions"])
        _renew_means({passage.content_id for passage in batch})
        done += len(batch)
    return done


def _renew_means(contents: set[int]) -> None:
    """Compute the vectors of contents anew, of those whose passages are all of one model again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE knowledge_content SET embedding = means.embedding FROM (
                SELECT content_id, l2_normalize(avg(embedding)::halfvec) AS embedding FROM knowledge_passage
                WHERE content_id = ANY(%s) GROUP BY content_id
                HAVING count(DISTINCT (embedding_model, embedding_dimensions)) = 1
            ) means WHERE knowledge_content.id = means.content_id
            """,
            [list(contents)],
        )
