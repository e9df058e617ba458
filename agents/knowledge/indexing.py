"""From contents to what is searched: passages, vectors, near duplicates."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from django.db import connection, transaction
from django.db.models.functions import MD5
from django.utils import timezone
from pgvector import HalfVector
from pgvector.psycopg.halfvec import register_halfvec_info
from psycopg.types import TypeInfo

from agents.knowledge.embeddings import Embedder, EmbeddingFailed, current_embedder
from agents.knowledge.models import Content, Passage
from agents.knowledge.near_duplicates import is_near_duplicate, sketch_of
from agents.knowledge.splitting import spans_of

BATCH = 25

logger = logging.getLogger(__name__)


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
    """Split stored contents into passages and embed these. Raises `EmbeddingFailed` with nothing changed."""
    passages = prepare(contents)
    hashes = {content.pk: hashlib.md5(content.text.encode(), usedforsecurity=False).hexdigest() for content in contents}
    with transaction.atomic():
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
        rows = [content for content in contents if content.pk in due]
        Content.objects.bulk_update(rows, ["sketch", "embedding", "analyzed_at"])
        write_passages(rows, [passage for passage in passages if passage.content.pk in due])


@dataclass(slots=True)
class NewPassage:
    """A passage that is not stored yet."""

    content: Content
    start: int
    end: int
    text: str
    heading: str = ""
    embedding: HalfVector | None = None


def prepare(contents: Sequence[Content]) -> list[NewPassage]:
    """Split contents and embed their passages, which are returned; no row is read or written.

    The contents get their sketch, their vector and the time of it. Raises `EmbeddingFailed`.
    """
    split = [_passages(content) for content in contents]
    passages = list(chain.from_iterable(split))
    vectors = current_embedder().embed([embedded_text(passage) for passage in passages])
    for passage, vector in zip(passages, vectors, strict=True):
        passage.embedding = HalfVector(vector)
    end = 0
    for content, own in zip(contents, split, strict=True):
        start, end = end, end + len(own)
        mean = vectors[start:end].mean(axis=0)
        content.embedding = HalfVector(mean / (np.linalg.norm(mean) or 1))
        content.sketch = sketch_of(content.text)
        content.analyzed_at = timezone.now()
    return passages


def prepare_if_possible(contents: Sequence[Content]) -> list[NewPassage]:
    """Prepare contents; where the model does not answer, leave them as they are, for `index_pending`."""
    try:
        return prepare(contents) if contents else []
    except EmbeddingFailed as error:
        logger.warning("%d contents wait for their vectors: %s", len(contents), error)
        return []


def embedded_text(passage: Passage | NewPassage) -> str:
    return f"{passage.heading}\n{passage.text}" if passage.heading else passage.text


def _passages(content: Content) -> list[NewPassage]:
    passages = [NewPassage(content, start, end, content.text[start:end]) for start, end in spans_of(content.text)]
    if passages and not content.text.startswith(content.title.removesuffix("…")):
        passages[0].heading = content.title
    return passages


def write_passages(contents: Sequence[Content], passages: Sequence[NewPassage]) -> None:
    """Write the passages of contents that were stored in this transaction, and say which contents repeat others."""
    if passages:
        _copy(passages)
        _mark_near_duplicates(contents)


_COPY = """
COPY knowledge_passage
    (content_id, agent_id, start, "end", text, heading, embedding, embedding_model, embedding_dimensions)
FROM STDIN (FORMAT BINARY)
"""
_TYPES = ("int8", "int8", "int4", "int4", "text", "varchar", "halfvec", "varchar", "int2")


def _copy(passages: Sequence[NewPassage]) -> None:
    """Write new passages as bytes: spelling out vectors as text takes longer than making them."""
    model = current_embedder()
    with connection.cursor() as cursor, connection.connection.cursor() as raw:
        cursor.execute("SELECT oid, typarray FROM pg_type WHERE oid = 'halfvec'::regtype")
        register_halfvec_info(raw, TypeInfo("halfvec", *cursor.fetchone()))
        with raw.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for passage in passages:
                content = passage.content
                span = (passage.start, passage.end, passage.text, passage.heading)
                copy.write_row((content.pk, content.agent_id, *span, passage.embedding, model.name, model.dimensions))


def _mark_near_duplicates(contents: Sequence[Content]) -> None:
    """Point each content that says what an older one of the same knowledge says to that one.

    Older is what was committed before: one transaction after the other gets here, or two contents that repeat each
    other could arrive side by side and neither see the other.
    """
    texts = {content.pk: content.text for content in contents}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock('knowledge_content'::regclass::bigint)")
        cursor.execute(
            """
            SELECT younger.id, older.id, older.text FROM knowledge_content younger
            JOIN knowledge_content older ON older.sketch && younger.sketch AND older.sketch <> '{}'
                AND (older.id < younger.id OR older.id <> ALL(%(ids)s))
                AND older.agent_id IS NOT DISTINCT FROM younger.agent_id AND older.near_duplicate_of_id IS NULL
            WHERE younger.id = ANY(%(ids)s) AND younger.sketch <> '{}' ORDER BY younger.id, older.id
            """,
            {"ids": list(texts)},
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
