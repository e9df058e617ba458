from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from agents.knowledge.models import Content
from agents.knowledge.services import save_author, save_content
from agents.models import Agent, Profile
from agents.services.agents import create_agent
from agents.services.people import create_person


@pytest.fixture
def wren(db: None) -> Agent:
    owner: Profile = create_person(username="alice", password=None)
    return create_agent(owner=owner, handle="wren")


@pytest.mark.django_db
def test_saving_the_same_url_twice_keeps_one_row() -> None:
    first, is_new = save_content(platform="web", title="Kites", text="Kites fly.", url="https://example.org/kites")
    second, is_new_again = save_content(platform="web", title="K", text="Changed.", url="https://example.org/kites")
    assert (is_new, is_new_again) == (True, False)
    assert second.pk == first.pk
    assert second.text == "Kites fly."


@pytest.mark.django_db
def test_without_a_url_the_words_tell_texts_apart() -> None:
    assert save_content(platform="note", title="A", text="One.")[1]
    assert save_content(platform="note", title="A", text="Two.")[1]
    assert not save_content(platform="note", title="B", text="One.")[1]


def test_two_agents_may_know_the_same_text(wren: Agent) -> None:
    save_content(platform="note", title="A", text="One.")
    _, is_new = save_content(platform="note", title="A", text="One.", agent=wren)
    assert is_new
    assert Content.objects.known_to(wren).count() == 2
    assert Content.objects.common().count() == 1


@pytest.mark.django_db
def test_what_postgresql_cannot_store_is_taken_out() -> None:
    content, _ = save_content(platform="web", title="N\0ul \ud800 \ue000", text="a\0b\r\nc\ud800 \ue000 e\u0301")
    content.refresh_from_db()
    assert content.text == "ab\nc \ue000 \u00e9"
    assert content.title == "Nul \ue000"


@pytest.mark.django_db
def test_a_text_with_nothing_in_it_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        save_content(platform="web", title="x", text=" \0\n ")


@pytest.mark.django_db
def test_a_nameless_author_is_none() -> None:
    assert save_author(platform="web", name=" ") is None
    assert save_author(platform="web", name="Ada") == save_author(platform="web", name=" Ada ")


@pytest.mark.django_db(transaction=True)
def test_ten_writers_of_one_text_leave_one_row() -> None:
    def save(_: int) -> bool:
        try:
            return save_content(platform="note", title="A", text="The same.")[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(save, range(10))) == 1
    assert Content.objects.count() == 1
