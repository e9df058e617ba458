from collections.abc import Generator

import pytest

from agents.importing.records import Record
from agents.importing.report import Report
from agents.knowledge import articles, indexing
from agents.knowledge.articles import ARTICLES, pieces_of_articles
from agents.knowledge.beside import Piece, do_all
from agents.knowledge.models import Content, Passage

COUNT = 20


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(articles, "BATCH", 5)


def pieces() -> Generator[Piece]:
    rows = ({"title": f"Title {number}", "body_markdown": f"Words of {number}."} for number in range(COUNT))
    return pieces_of_articles(Record("x", row) for row in rows)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("workers", [1, 2])
def test_every_piece_is_done_once_and_counted(workers: int) -> None:
    report = Report()
    do_all(pieces(), report=report, workers=workers)
    assert report.outcomes[ARTICLES, "created"] == COUNT
    assert not Content.objects.to_analyze().exists()
    assert Passage.objects.count() == Content.objects.count() == COUNT
    do_all(pieces(), report=report, workers=workers)
    assert report.outcomes[ARTICLES, "unchanged"] == COUNT


@pytest.mark.django_db(transaction=True)
def test_what_goes_wrong_in_a_thread_is_raised_and_what_was_stored_before_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy = indexing._copy

    def fail_at_last(passages: list[indexing.NewPassage]) -> None:
        if any("Words of 12." in passage.text for passage in passages):
            raise ValueError("No room.")
        copy(passages)

    monkeypatch.setattr(indexing, "_copy", fail_at_last)
    with pytest.raises(ValueError, match=r"No room\."):
        do_all(pieces(), report=Report(), workers=2)
    assert Content.objects.count() < COUNT
    assert Passage.objects.count() == Content.objects.count()
    monkeypatch.undo()
    do_all(pieces(), report=Report(), workers=1)
    assert Passage.objects.count() == Content.objects.count() == COUNT
