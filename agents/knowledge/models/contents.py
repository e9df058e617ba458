from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Upper
from pgvector.django import HalfVectorField, HnswIndex

from agents.knowledge.querysets import AuthorQuerySet, ContentQuerySet, PassageQuerySet
from agents.models import Agent

# The dimension of the model that ships with Aviary, and the one that has an index out of the box.
DEFAULT_DIMENSIONS = 256


class Author(models.Model):
    """Who wrote a content, as its platform names them."""

    platform = models.CharField(max_length=40)
    username = models.CharField(max_length=200)
    display_name = models.CharField(max_length=200, blank=True)

    objects = AuthorQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "username"], name="author_platform_username_unique"),
        ]
        indexes = [
            # Search as you type, ILIKE '%term%' (seed: idx_authors_username_trigram). Upper() because that is
            # what Django's icontains compiles to.
            GinIndex(OpClass(Upper("username"), "gin_trgm_ops"), name="author_username_trgm"),
            # The same on the display name (seed: idx_authors_display_name_trigram).
            GinIndex(OpClass(Upper("display_name"), "gin_trgm_ops"), name="author_display_name_trgm"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username


class Content(models.Model):
    """A text that agents may draw on: common to all of them, or the knowledge of one."""

    agent = models.ForeignKey(
        Agent,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="contents",
        db_index=False,
        help_text="Whose own knowledge it is; empty: common to all agents.",
    )
    author = models.ForeignKey(Author, models.SET_NULL, null=True, blank=True, related_name="contents")
    platform = models.CharField(max_length=40)
    url = models.URLField(max_length=2000, blank=True)
    title = models.CharField(max_length=500)
    text = models.TextField()
    language = models.CharField(max_length=8, blank=True)
    # SHA-256 of what makes it itself (platform, URL or else text): importing it again finds it.
    fingerprint = models.BinaryField(max_length=32, editable=False)
    # Bands of a MinHash over its words: two texts that share one may be near duplicates.
    sketch = ArrayField(models.BigIntegerField(), default=list, editable=False)
    near_duplicate_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="near_duplicates", editable=False, db_index=False
    )
    # The mean of its passages' vectors, for patterns.
    embedding = HalfVectorField(null=True, editable=False)
    published_at = models.DateTimeField(null=True, blank=True)
    scraped_at = models.DateTimeField(auto_now_add=True)
    # When it was split into passages and these were embedded; NULL: that is due.
    analyzed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ContentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "fingerprint"], name="content_once", nulls_distinct=False),
        ]
        indexes = [
            # The newest of all (seed: idx_contents_scraped_at_desc): GET /api/contents orders by both.
            models.Index(F("scraped_at").desc(), F("id").desc(), name="content_newest"),
            # The newest of one platform (seed: idx_contents_platform_scraped).
            models.Index("platform", F("scraped_at").desc(), F("id").desc(), name="content_platform_scraped"),
            # One agent's own knowledge, newest first.
            models.Index("agent", F("id").desc(), name="content_agent_newest", condition=Q(agent__isnull=False)),
            # What is analysed, newest first, and how much of it there is, index-only
            # (seed: idx_contents_analyzed_at_not_null).
            models.Index(
                F("analyzed_at").desc(), name="content_analyzed_newest", condition=Q(analyzed_at__isnull=False)
            ),
            # What is still to be analysed, oldest first: the work list of the indexer stays small.
            models.Index("id", name="content_to_analyze", condition=Q(analyzed_at=None)),
            # What patterns are found in, newest first (seed: idx_contents_embedding_not_null).
            models.Index(F("scraped_at").desc(), name="content_embedded", condition=Q(embedding__isnull=False)),
            # Candidates for near duplicates: sketches that share a band.
            # Written at once, like those below: a search reads every entry that is still on the pending list.
            GinIndex(fields=["sketch"], name="content_sketch", condition=~Q(sketch=[]), fastupdate=False),
            # Deleting a content looks for what was held to be its duplicate.
            models.Index(
                "near_duplicate_of", name="content_near_duplicate", condition=Q(near_duplicate_of__isnull=False)
            ),
            # Search for a title in GET /api/contents.
            GinIndex(OpClass(Upper("title"), "gin_trgm_ops"), name="content_title_trgm"),
        ]

    def __str__(self) -> str:
        return self.title


class Revision(models.Model):
    """What a content said before it changed at its source: what was quoted of it can still be read."""

    content = models.ForeignKey(Content, models.CASCADE, related_name="revisions", db_index=False)
    title = models.CharField(max_length=500)
    text = models.TextField()
    replaced_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # A content's former words, the newest first: the page of a quotation that stands there no more.
            models.Index("content", F("id").desc(), name="revision_content_newest"),
        ]

    def __str__(self) -> str:
        return self.title


class Passage(models.Model):
    """A span of a content: what is searched, and what a citation points into.

    `text` equals `content.text[start:end]` at the time of splitting. Whose it is repeats the content's
    agent, so that a search over vectors filters on the row it has at hand.
    """

    content = models.ForeignKey(Content, models.CASCADE, related_name="passages", db_index=False)
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, related_name="+", db_index=False)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    text = models.TextField()
    # The content's title, on its first passage only: whoever asks by title finds where it begins.
    heading = models.CharField(max_length=500, blank=True)
    search_vector = models.GeneratedField(
        expression=SearchVector("heading", "text", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    embedding = HalfVectorField(null=True, editable=False)
    embedding_model = models.CharField(max_length=80, blank=True, editable=False)
    embedding_dimensions = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = PassageQuerySet.as_manager()

    class Meta:
        constraints = [
            # A content's passages in reading order; splitting it twice at once cannot double them.
            models.UniqueConstraint(fields=["content", "start"], name="passage_start_unique"),
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="passage_span_not_empty"),
        ]
        indexes = [
            # The full-text arm of retrieval. A sixteenth of the usual pending list: each word of a question
            # reads all of it, and a longer one saves little when passages come in.
            GinIndex(fields=["search_vector"], name="passage_search", gin_pending_list_limit=256),
            # The vector arm of retrieval. A vector of another dimension cannot be cast to this one, hence the
            # condition; a model with another dimension works, and wants an index of its own.
            HnswIndex(
                OpClass(Cast("embedding", HalfVectorField(dimensions=DEFAULT_DIMENSIONS)), "halfvec_cosine_ops"),
                name="passage_embedding_256",
                # Half of the usual size: four tenths of the time per passage, and text search covers what it misses.
                m=8,
                ef_construction=40,
                condition=Q(embedding_dimensions=DEFAULT_DIMENSIONS),
            ),
            # Deleting an agent looks for its passages.
            models.Index("agent", name="passage_agent", condition=Q(agent__isnull=False)),
            # What another model embedded, or none yet: the work list of re-embedding.
            models.Index("embedding_model", "id", name="passage_embedding_model"),
        ]

    def __str__(self) -> str:
        return f"{self.content_id}[{self.start}:{self.end}]"


class Lexeme(models.Model):
    """A word stem of the passages and how many of them hold it, for weighing and correcting search terms.

    Refreshed in the background: a stem that is missing is taken to be rare.
    """

    word = models.TextField(primary_key=True)
    passage_count = models.PositiveIntegerField()

    class Meta:
        indexes = [
            # The known word that looks most like a misspelt one.
            GinIndex(OpClass("word", "gin_trgm_ops"), name="lexeme_word_trgm", fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.word
