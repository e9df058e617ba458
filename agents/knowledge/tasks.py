from celery import shared_task

from agents.knowledge import indexing
from agents.knowledge.models import Source
from agents.knowledge.patterns import find_patterns as find
from agents.knowledge.retrieval import lexemes
from agents.knowledge.services import research, sources

SOURCES_PER_SWEEP = 50


@shared_task
def read_source(source_id: int) -> bool:
    """Read one source, if it is due and nobody is at it."""
    return sources.read_source(source_id)


@shared_task
def read_due_sources() -> int:
    """Read what is due, the longest waiting first; return how many."""
    due = list(Source.objects.due().order_by("due_at").values_list("pk", flat=True)[:SOURCES_PER_SWEEP])
    return sum(sources.read_source(source_id) for source_id in due)


@shared_task
def index_pending_contents() -> int:
    """Split and embed what came in; return how many contents."""
    return indexing.index_pending()


@shared_task
def embed_again() -> int:
    """Embed passages that another model embedded, after the settings changed; return how many."""
    return indexing.reembed()


@shared_task
def refresh_lexemes() -> int:
    """Count anew how common each word is."""
    return lexemes.refresh_lexemes()


@shared_task
def find_patterns() -> int:
    """Look for recurring themes; return how many there are."""
    return find()


@shared_task
def close_abandoned_sessions() -> int:
    """Fail research sessions whose process is gone; return how many."""
    return research.close_abandoned()
