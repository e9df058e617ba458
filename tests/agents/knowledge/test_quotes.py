import pytest

from agents.knowledge.models import Content, Revision
from agents.knowledge.quotes import address_of, mark
from agents.knowledge.services import contents, save_content
from agents.knowledge.services.contents import revise_content

pytestmark = pytest.mark.django_db
TEXT = "Storks clatter with their bills. They winter in Africa. Both say so."


@pytest.fixture
def storks() -> Content:
    return save_content(platform="x", title="Storks", text=TEXT)[0]


def place(content: Content, quote: str, *, start: int | None = None) -> str:
    start = TEXT.index(quote) if start is None else start
    address = address_of(content_id=content.pk, start=start, end=start + len(quote), quote=quote)
    return address.partition("?quote=")[2].removesuffix("#quote")


def test_an_address_leads_to_the_quoted_words(storks: Content) -> None:
    marked = mark(storks, place(storks, "They winter in Africa."))
    assert (marked.before, marked.quote, marked.after) == (
        "Storks clatter with their bills. ",
        "They winter in Africa.",
        " Both say so.",
    )
    assert not marked.is_former


def test_words_that_have_changed_are_found_in_the_version_that_was_quoted(storks: Content) -> None:
    before = place(storks, "They winter in Africa.")
    assert revise_content(content=storks, title="Storks", text="Storks stay in Spain these days, in many winters.")
    storks.refresh_from_db()
    assert revise_content(content=storks, title="White storks", text="Storks stay in Spain.")
    storks.refresh_from_db()
    marked = mark(storks, before)
    assert (marked.title, marked.quote, marked.is_former) == ("Storks", "They winter in Africa.", True)
    assert mark(storks, "").title == "White storks"


@pytest.mark.parametrize(
    "given",
    ["", "x", "0-0-0123456789abcdef", "5-9-0123456789abcdef", "999999999-999999999-0123456789abcdef", "-1-2-", "\0"],
)
def test_an_address_that_somebody_made_up_marks_nothing(storks: Content, given: str) -> None:
    assert mark(storks, given).quote == ""
    assert mark(storks, place(storks, "They winter in Africa.", start=3)).quote == ""
    assert mark(storks, given).before == TEXT


def test_a_page_that_always_changes_does_not_fill_the_disk(storks: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MAX_REVISIONS", 3)
    for number in range(6):
        assert revise_content(content=storks, title="Storks", text=f"Version {number}.")
    kept = Revision.objects.filter(content=storks).order_by("id").values_list("text", flat=True)
    assert list(kept) == ["Version 2.", "Version 3.", "Version 4."]
