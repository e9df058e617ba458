import pytest
from django.db import connection

from agents.knowledge import indexing
from agents.knowledge.models import Content, Lexeme
from agents.knowledge.retrieval.lexemes import refresh_lexemes
from agents.knowledge.services import save_content

pytestmark = pytest.mark.django_db


def counts(*words: str) -> dict[str, int]:
    return dict(Lexeme.objects.filter(word__in=words).values_list("word", "passage_count"))


def test_counting_anew_follows_what_came_and_went() -> None:
    content, _ = save_content(platform="x", title="One", text="A heron waits.")
    save_content(platform="x", title="Two", text="A heron fishes.")
    indexing.index_pending()
    assert refresh_lexemes() == Lexeme.objects.count()
    assert counts("heron", "wait", "fish") == {"heron": 2, "wait": 1, "fish": 1}
    Content.objects.filter(pk=content.pk).delete()
    refresh_lexemes()
    assert counts("heron", "wait", "fish") == {"heron": 1, "fish": 1}


def test_a_stem_whose_count_stays_keeps_its_row() -> None:
    save_content(platform="x", title="One", text="A heron waits.")
    indexing.index_pending()

    def versions() -> list[tuple[str, int]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid::text, passage_count FROM knowledge_lexeme ORDER BY word")
            return cursor.fetchall()

    refresh_lexemes()
    before = versions()
    refresh_lexemes()
    assert versions() == before != []


def test_no_search_reads_a_long_pending_list() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reloptions FROM pg_class"
            " WHERE relname IN ('content_sketch', 'lexeme_word_trgm', 'passage_search')"
        )
        assert dict(cursor.fetchall()) == {
            "content_sketch": ["fastupdate=off"],
            "lexeme_word_trgm": ["fastupdate=off"],
            "passage_search": ["gin_pending_list_limit=256"],
        }
