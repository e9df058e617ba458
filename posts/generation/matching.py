"""Which of the texts that are common to all fit an agent's themes, the newest first."""

from collections.abc import Sequence

from django.contrib.postgres.search import SearchQuery, TrigramWordSimilarity
from django.db.models import Case, Exists, F, FloatField, Func, IntegerField, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Greatest, Least
from pgvector.django import CosineDistance, HalfVectorField

from agents.knowledge.embeddings import Embedder
from agents.knowledge.models import Content, Passage
from agents.knowledge.models.contents import DEFAULT_DIMENSIONS
from agents.knowledge.querysets import ContentQuerySet
from posts.generation.extracts import any_of

# How many of the newest texts are compared with the themes, one by one: bounds the time.
WINDOW = 1000
# A text is about a theme when their cosine distance is less; when it is less than the second, its words must say so
# too, and it comes after all of the first. Seen on 1,194 articles and the themes of 23 characters: what is nearer
# than the first is about the theme, what is farther only shares a word with it, but for themes that are rare words.
FITTING, ALLIED = 0.6, 0.8
# How many passages per theme are looked at, in the index, when nothing in the window fits.
NEAREST = 40
FITTING_WORDS = 0.6
NEWEST = (F("published_at").desc(nulls_last=True), F("id").desc())


def newest_by_vector(
    contents: ContentQuerySet, *, themes: Sequence[str], vectors: Sequence[str], dimensions: int
) -> ContentQuerySet:
    """Return those of the newest common contents that are near to one of some themes."""
    window = Content.objects.common().filter(embedding__isnull=False).order_by("-scraped_at").values("pk")[:WINDOW]
    nearest = _least([CosineDistance("embedding", _written(vector, dimensions)) for vector in vectors])
    length = Func(F("embedding"), function="vector_dims", output_field=IntegerField())
    # The vector of another model may have another length: comparing the two would be an error.
    distance = Case(When(Q(length=dimensions), then=nearest), output_field=FloatField())
    query = SearchQuery(any_of(themes), config="english", search_type="websearch")
    mentions = Exists(Passage.objects.filter(content=OuterRef("pk"), search_vector=query))
    is_about = Case(When(Q(distance__lt=FITTING), then=True), When(mentions, then=False))
    near = contents.alias(length=length).alias(distance=distance).filter(pk__in=window, distance__lt=ALLIED)
    return near.alias(is_about=is_about).filter(is_about__isnull=False).order_by("-is_about", *NEWEST)


def nearest_by_passages(contents: ContentQuerySet, *, vectors: Sequence[str], embedder: Embedder) -> ContentQuerySet:
    """Return the common contents with the passages nearest to some vectors, from the index, however old."""
    if embedder.dimensions != DEFAULT_DIMENSIONS:
        return contents.none()
    stored = Cast("embedding", HalfVectorField(dimensions=DEFAULT_DIMENSIONS))
    indexed = Passage.objects.filter(
        agent=None, embedding_dimensions=DEFAULT_DIMENSIONS, embedding_model=embedder.name
    ).values_list("content")
    near: set[int] = set()
    for vector in vectors:
        distance = CosineDistance(stored, _written(vector, DEFAULT_DIMENSIONS))
        nearest = indexed.annotate(distance=distance).order_by("distance")[:NEAREST]
        # Cut here: asked for it, the index would go on looking for near ones through all that are far.
        near |= {content for content, distance in nearest if distance < FITTING}
    return contents.filter(pk__in=near).order_by(*NEWEST)


def newest_by_title(contents: ContentQuerySet, *, themes: Sequence[str]) -> ContentQuerySet:
    """Return those of the newest common contents without a vector whose title has the words of a theme."""
    window = Content.objects.common().filter(embedding=None).order_by("-scraped_at", "-id").values("pk")[:WINDOW]
    likeness = [TrigramWordSimilarity(theme, "title") for theme in themes]
    most = Greatest(*likeness) if len(likeness) > 1 else likeness[0]
    return contents.alias(likeness=most).filter(pk__in=window, likeness__gt=FITTING_WORDS).order_by(*NEWEST)


def _written(vector: str, dimensions: int) -> Cast:
    return Cast(Value(vector), HalfVectorField(dimensions=dimensions))


def _least(distances: list[CosineDistance]) -> Combinable:
    return Least(*distances) if len(distances) > 1 else distances[0]
