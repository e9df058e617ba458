"""Recurring themes: clusters of the vectors of common contents.

Spherical k-means (Dhillon and Modha, 2001), from a fixed seed so that the same contents give the same themes. The
confidence is the simplified silhouette: how much nearer a theme's contents are to it than to the next one.
"""

import math
from datetime import datetime

import numpy as np
from django.db import connection, transaction

from agents.knowledge.embeddings import current_embedder
from agents.knowledge.embeddings.vectors import Vectors
from agents.knowledge.models import Content, Pattern

# The newest ones: a theme that recurs does so among them.
MAX_CONTENTS = 5000
MIN_CONTENTS = 20
MIN_CLUSTER = 4
ROUNDS = 25
KEYWORDS = 6


def find_patterns() -> int:
    """Replace the patterns by those of the newest common contents; return how many there are."""
    rows = list(
        Content.objects.common()
        .filter(embedding__isnull=False, near_duplicate_of=None)
        .order_by("-scraped_at")
        .values_list("pk", "embedding", "published_at", "scraped_at")[:MAX_CONTENTS]
    )
    dimensions = current_embedder().dimensions
    # During a change of the model some are of the old one still.
    rows = [row for row in rows if row[1] is not None and len(row[1]) == dimensions]
    if len(rows) < MIN_CONTENTS:
        return 0
    vectors = np.array([row[1] for row in rows], np.float32)
    vectors -= vectors.mean(axis=0)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    nearness, labels = _cluster(vectors, count=max(2, round(math.sqrt(len(rows) / 2))))
    patterns = []
    for label in range(nearness.shape[1]):
        members = np.flatnonzero(labels == label)
        if len(members) >= MIN_CLUSTER:
            times = [rows[index][2] or rows[index][3] for index in members]
            ids = [rows[index][0] for index in members]
            patterns.append((_draft(ids, times, _confidence(nearness[members], label)), ids))
    return _store(patterns)


def _cluster(vectors: Vectors, *, count: int) -> tuple[Vectors, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    """Return how near each vector is to each centre, and the nearest."""
    chance = np.random.default_rng(7)
    centres = vectors[chance.choice(len(vectors), count, replace=False)]
    labels = np.full(len(vectors), -1)
    for _ in range(ROUNDS):
        before, labels = labels, (vectors @ centres.T).argmax(axis=1)
        if (before == labels).all():
            break
        for label in set(labels.tolist()):
            centre = vectors[labels == label].sum(axis=0)
            centres[label] = centre / max(float(np.linalg.norm(centre)), 1e-9)
    return vectors @ centres.T, labels


def _confidence(nearness: Vectors, label: int) -> float:
    own = 1 - nearness[:, label]
    other = 1 - np.delete(nearness, label, axis=1).max(axis=1)
    return float(((other - own) / np.maximum(np.maximum(own, other), 1e-9)).mean())


def _draft(ids: list[int], times: list[datetime], confidence: float) -> Pattern:
    words = _keywords(ids)
    return Pattern(
        label=", ".join(words[:3]) or "unnamed",
        keywords=words,
        confidence_score=round(confidence, 4),
        content_count=len(ids),
        first_seen_at=min(times),
        last_seen_at=max(times),
    )


def _keywords(ids: list[int]) -> list[str]:
    """Return the word stems that stand in many of these contents and in few others."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT stat.word, stat.ndoc * ln(1 + total.passages / (coalesce(known.passage_count, 0) + 1.0)) AS weight
            FROM ts_stat(format('SELECT search_vector FROM knowledge_passage WHERE content_id = ANY(%%L::bigint[])',
                %s::text)) stat
            CROSS JOIN (SELECT greatest(reltuples, 1) AS passages FROM pg_class
                WHERE oid = 'knowledge_passage'::regclass) total
            LEFT JOIN knowledge_lexeme known USING (word)
            WHERE stat.word ~ '^[a-z]{3,}$' ORDER BY weight DESC LIMIT %s
            """,
            ["{" + ",".join(map(str, ids[:100])) + "}", KEYWORDS],
        )
        return [word[:60] for word, _ in cursor.fetchall()]


@transaction.atomic
def _store(patterns: list[tuple[Pattern, list[int]]]) -> int:
    """Replace what was found before; a theme that was known keeps the time of its discovery."""
    known = {frozenset(pattern.keywords): pattern.discovered_at for pattern in Pattern.objects.select_for_update()}
    Pattern.objects.all().delete()
    created = Pattern.objects.bulk_create([pattern for pattern, _ in patterns])
    links = Pattern.contents.through
    links.objects.bulk_create(
        links(pattern_id=pattern.pk, content_id=content)
        for pattern, (_, ids) in zip(created, patterns, strict=True)
        for content in ids
    )
    for pattern in created:
        if discovered := known.get(frozenset(pattern.keywords)):
            Pattern.objects.filter(pk=pattern.pk).update(discovered_at=discovered)
    return len(created)
