"""Finding passages: three arms and their fusion in one statement.

The arms are full text (the rarest words of the question, weighed by how rare they are), trigrams (words that
nobody wrote, replaced by the known word that looks most like them) and vectors. Reciprocal rank fusion needs no
common scale. Source: Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet" (2009).

SQL and not the ORM, which has neither common table expressions nor LATERAL: one statement is the point.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from pgvector import HalfVector

from agents.knowledge.embeddings import current_embedder
from agents.models import Agent, Profile

# How many candidates each arm brings.
ARM_SIZE = 50
# How many passages the text arm may look at, from the rarest word up, and for one word: bounds the time
# whatever the number of passages.
ROWS_IN_ALL = 1000
ROWS_PER_WORD = 400
MAX_WORDS = 24
# What the words that stand elsewhere in the same content are worth beside the passage's own.
COMPANY = 0.5
# How many passages the vector index brings before the content as a whole has its say, and how much that counts.
NEAREST = 100
WHOLE = 1.0
# What follows is cut off: nobody asks that much, and the time to answer stays bounded.
MAX_QUESTION_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Filters:
    """What to search: everything that the viewer may see, narrowed by what is given."""

    viewer: Profile | None = None
    # Only what this agent knows as its own.
    agent: Agent | None = None
    platform: str = ""
    author_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    passage_id: int
    content_id: int
    start: int
    end: int
    text: str
    score: float
    title: str
    url: str
    platform: str
    author_id: int | None
    author: str
    # The place in each arm that found it, from 1.
    ranks: dict[str, int] = field(default_factory=dict)


ARMS = {"text": "text_arm", "trigram": "trigram_arm", "vector": "vector_arm"}

_SQL = """
WITH
asked AS (
    SELECT lexeme, coalesce(known.passage_count, 0) AS passage_count
    FROM unnest(to_tsvector('english', %(question)s)) LEFT JOIN knowledge_lexeme known ON known.word = lexeme
),
total AS (SELECT greatest(reltuples, 1) AS passages FROM pg_class WHERE oid = 'knowledge_passage'::regclass),
words AS (
    SELECT word, weight FROM (
        SELECT lexeme AS word, ln(1 + passages / (passage_count + 0.5)) AS weight, passage_count,
            sum(passage_count) OVER (ORDER BY passage_count, lexeme) - passage_count AS rows_before
        FROM asked, total
    ) ranked WHERE rows_before < %(rows_in_all)s ORDER BY passage_count, word LIMIT %(max_words)s
),
text_found AS MATERIALIZED (SELECT id, content_id, word, weight FROM words, LATERAL ({matching}) found),
text_best AS (
    SELECT id, own + %(company)s * together AS score
    FROM (SELECT id, content_id, sum(weight) AS own FROM text_found GROUP BY id, content_id) by_passage
    JOIN (
        SELECT content_id, sum(weight) AS together
        FROM (SELECT content_id, word, min(weight) AS weight FROM text_found GROUP BY content_id, word) said
        GROUP BY content_id
    ) by_content USING (content_id)
    ORDER BY score DESC, id LIMIT %(arm_size)s
),
text_arm AS (SELECT id, row_number() OVER (ORDER BY score DESC, id) AS place FROM text_best),
unknown AS (SELECT lexeme FROM asked WHERE passage_count = 0 AND length(lexeme) >= 4 LIMIT 4),
corrected AS (
    SELECT nearest.word, nearest.likeness * ln(1 + passages / (nearest.passage_count + 0.5)) AS weight
    FROM total, unknown, LATERAL (
        SELECT word, passage_count, similarity(word, lexeme) AS likeness FROM knowledge_lexeme
        WHERE word %% lexeme ORDER BY likeness DESC, passage_count DESC LIMIT 1
    ) nearest
),
trigram_arm AS (
    SELECT id, row_number() OVER (ORDER BY sum(weight) DESC, id) AS place
    FROM corrected AS words, LATERAL ({matching}) found GROUP BY id ORDER BY place LIMIT %(arm_size)s
),
nearest AS (
    SELECT passage.id, passage.content_id, passage.embedding::halfvec({dimensions}) <=> %(vector)s AS distance
    FROM knowledge_passage passage {join}
    WHERE passage.embedding_dimensions = {dimensions} AND passage.embedding_model = %(model)s AND {filters}
    ORDER BY distance LIMIT %(nearest)s
),
together AS (
    SELECT nearest.id, nearest.distance + %(whole)s * CASE WHEN vector_dims(content.embedding) = {dimensions}
        THEN content.embedding::halfvec({dimensions}) <=> %(vector)s ELSE nearest.distance END AS distance
    FROM nearest JOIN knowledge_content content ON content.id = nearest.content_id
    ORDER BY distance, nearest.id LIMIT %(arm_size)s
),
vector_arm AS (SELECT id, row_number() OVER (ORDER BY distance, id) AS place FROM together),
fused AS (
    SELECT arms.id, sum(share / (%(damping)s + place))::float8 AS score, jsonb_object_agg(arm, place) AS ranks
    FROM ({arms}) arms JOIN knowledge_passage passage ON passage.id = arms.id
    JOIN knowledge_content content ON content.id = passage.content_id AND content.near_duplicate_of_id IS NULL
    GROUP BY arms.id ORDER BY score DESC, arms.id LIMIT %(limit)s
)
SELECT passage.id, content.id, passage.start, passage."end", passage.text, fused.score, content.title, content.url,
    content.platform, author.id, coalesce(nullif(author.display_name, ''), author.username, ''), fused.ranks
FROM fused JOIN knowledge_passage passage ON passage.id = fused.id
JOIN knowledge_content content ON content.id = passage.content_id
LEFT JOIN knowledge_author author ON author.id = content.author_id
ORDER BY fused.score DESC, passage.id
"""
_MATCHING = """
    SELECT passage.id, passage.content_id FROM knowledge_passage passage {join}
    WHERE passage.search_vector @@ ('''' || replace(replace(word, '\\', '\\\\'), '''', '''''') || '''')::tsquery
    AND {filters} LIMIT %(rows_per_word)s
"""
# The constant of the paper: how little the very first places stand out.
DAMPING = 60
SHARES = {"text": 1.0, "trigram": 0.5, "vector": 1.0}


def search(
    question: str, *, filters: Filters | None = None, limit: int = 10, arms: tuple[str, ...] = tuple(ARMS)
) -> list[Hit]:
    """Return the passages that fit a question best, in one statement. Raises `EmbeddingFailed`."""
    question = question.replace("\0", " ")[:MAX_QUESTION_LENGTH]
    embedder = current_embedder()
    conditions, parameters = _conditions(filters or Filters())
    # Whose a passage is stands beside it; what else is known of its content has to be looked up.
    join = "JOIN knowledge_content content ON content.id = passage.content_id" if "content." in conditions else ""
    sql = _SQL.format(
        matching=_MATCHING.format(filters=conditions, join=join),
        filters=conditions,
        join=join,
        dimensions=int(embedder.dimensions),
        arms=" UNION ALL ".join(
            f"SELECT id, place, '{arm}' AS arm, {SHARES[arm]} AS share FROM {ARMS[arm]}" for arm in arms
        ),
    )
    parameters |= {
        "question": question,
        "vector": HalfVector(embedder.embed([question])[0]).to_text(),
        "model": embedder.name,
        "max_words": MAX_WORDS,
        "rows_per_word": ROWS_PER_WORD,
        "rows_in_all": ROWS_IN_ALL,
        "company": COMPANY,
        "arm_size": ARM_SIZE,
        "nearest": NEAREST,
        "whole": WHOLE,
        "damping": DAMPING,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Hit(*row) for row in cursor.fetchall()]


def _conditions(filters: Filters) -> tuple[str, dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if filters.viewer is None:
        conditions.append("passage.agent_id IS NULL")
    else:
        conditions.append(
            "(passage.agent_id IS NULL OR passage.agent_id = %(viewer)s OR passage.agent_id IN"
            " (SELECT profile_id FROM agents_agent WHERE owner_id = %(viewer)s))"
        )
        values["viewer"] = filters.viewer.pk
    given = {
        "passage.agent_id = %(agent)s": ("agent", filters.agent.pk if filters.agent else None),
        "content.platform = %(platform)s": ("platform", filters.platform or None),
        "content.author_id = %(author)s": ("author", filters.author_id),
        "coalesce(content.published_at, content.scraped_at) >= %(since)s": ("since", filters.since),
        "coalesce(content.published_at, content.scraped_at) < %(until)s": ("until", filters.until),
    }
    for condition, (name, value) in given.items():
        if value is not None:
            conditions.append(condition)
            values[name] = value
    return " AND ".join(conditions), values
