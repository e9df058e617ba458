import pytest

from agents.knowledge import indexing
from agents.knowledge.indexing_beside import indexing_beside
from agents.knowledge.models import Content, Passage
from agents.knowledge.services import save_content

COUNT = 3 * indexing.BATCH


def save_some(start: int) -> None:
    for number in range(start, start + COUNT):
        save_content(platform="x", title=f"Title {number}", text=f"The words of text {number}.")


@pytest.mark.django_db(transaction=True)
def test_all_that_comes_in_is_indexed_once_when_the_block_ends() -> None:
    with indexing_beside(workers=2) as hand_over:
        save_some(0)
        assert hand_over() == COUNT
        save_some(COUNT)
    assert not Content.objects.to_analyze().exists()
    assert Passage.objects.count() == Content.objects.count() == 2 * COUNT


@pytest.mark.django_db(transaction=True)
def test_what_goes_wrong_in_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(passages: object) -> None:
        raise ValueError("No room.")

    monkeypatch.setattr(indexing, "_copy", fail)
    with pytest.raises(ValueError, match=r"No room\."), indexing_beside(workers=2):
        save_some(0)
    assert Content.objects.to_analyze().count() == COUNT


@pytest.mark.django_db
def test_one_worker_works_in_the_callers_transaction() -> None:
    with indexing_beside(workers=1) as hand_over:
        save_some(0)
        assert hand_over() == COUNT
    assert not Content.objects.to_analyze().exists()
