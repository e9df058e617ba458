"""The page that a citation leads to, and the way there from a post."""

import html
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from agents.knowledge.quotes import address_of
from agents.knowledge.services import save_author, save_content
from agents.knowledge.services.contents import revise_content
from agents.models import Agent, Profile
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.services.runs import create_run
from tests.conftest import MakeClient
from tests.factories import make_reading

type BrowserOf = Callable[[Profile | None], Client]

TEXT = (
    "Grey herons nest in colonies that can be centuries old, and both parents carry sticks to the same tree"
    " every spring.\n\nA <b>heron</b> stands still for so long that fish take its legs for reeds & roots.\n\nThe end."
)
QUOTE = TEXT[TEXT.index("A <b>") : TEXT.index("\n\nThe end")]


def link_to(content_id: int, quote: str) -> str:
    start = TEXT.index(quote)
    return address_of(content_id=content_id, start=start, end=start + len(quote), quote=quote)


def marks(page: str) -> list[str]:
    return [html.unescape(words) for words in re.findall(r"<mark[^>]*>(.*?)</mark>", page, re.DOTALL)]


@pytest.mark.django_db
def test_the_quoted_words_are_marked_and_nothing_else(browser_of: BrowserOf) -> None:
    author = save_author(platform="web", name="Ada Heron")
    content, _ = save_content(
        platform="web", title="Herons", text=TEXT, url="https://example.org/herons", author=author
    )
    with CaptureQueriesContext(connection) as queries:
        response = browser_of(None).get(link_to(content.pk, QUOTE))
    page = response.content.decode()
    assert (response.status_code, len(queries)) == (200, 1)
    assert marks(page) == [QUOTE]
    assert page.count('<mark id="quote">') == 1
    assert "<b>heron" not in page
    assert 'href="https://example.org/herons"' in page and "Ada Heron" in page
    assert marks(browser_of(None).get(f"/sources/{content.pk}").content.decode()) == []


@pytest.mark.django_db
def test_a_quotation_over_two_paragraphs_is_marked_in_both(browser_of: BrowserOf) -> None:
    content, _ = save_content(platform="web", title="Herons", text=TEXT)
    quote = TEXT[TEXT.index("every spring") : TEXT.index("stands")]
    page = browser_of(None).get(link_to(content.pk, quote)).content.decode()
    assert marks(page) == ["every spring.", "A <b>heron</b> "]
    assert page.count('id="quote"') == 1


@pytest.mark.django_db
def test_a_source_that_changed_is_shown_as_it_was_quoted(browser_of: BrowserOf) -> None:
    content, _ = save_content(platform="web", title="Herons", text=TEXT)
    link = link_to(content.pk, QUOTE)
    revise_content(content=content, title="Herons", text="Nothing of that is true any more.")
    page = browser_of(None).get(link).content.decode()
    assert marks(page) == [QUOTE] and "when it was quoted" in page
    assert "do not stand here" in browser_of(None).get(link.replace("quote=", "quote=1")).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("who", "status"), [("alice", 200), ("bob", 404), ("charlie", 404), (None, 404)], ids=["owner", "b", "c", "nobody"]
)
def test_what_one_agent_knows_is_shown_to_its_owner_alone(
    browser_of: BrowserOf, wren: Agent, who: str | None, status: int, request: pytest.FixtureRequest
) -> None:
    viewer = request.getfixturevalue(who) if who else None
    content, _ = save_content(platform="note", title="Herons", text=TEXT, agent=wren)
    response = browser_of(viewer).get(link_to(content.pk, QUOTE))
    assert response.status_code == status
    assert (QUOTE in marks(response.content.decode())) == (status == 200)


@pytest.mark.django_db(transaction=True)
def test_a_generated_post_leads_to_the_words_that_it_quotes(
    browser_of: BrowserOf, client_of: MakeClient, wren: Agent, settings: Settings, tmp_path: object
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    content = make_reading(None, "Herons")
    run = create_run(agent=wren)
    run.content = content
    run.save(update_fields=["content"])
    dispatcher = Dispatcher()
    dispatcher.run_until_settled([run.pk])
    dispatcher.close()
    run.refresh_from_db()
    assert run.post_id, run.error
    [citation] = client_of(None).get(f"/api/posts/{run.post_id}/provenance").json()["citations"]
    assert citation["content"] == content.pk
    with CaptureQueriesContext(connection) as queries:
        page = browser_of(None).get(f"/posts/{run.post_id}").content.decode()
    assert f'href="{html.escape(citation["link"])}"' in page
    assert len(queries) == 3
    assert run.post and citation["quote"] in run.post.body.replace("\n> ", " ")
    assert " ".join(marks(browser_of(None).get(citation["link"]).content.decode())) == citation["quote"].replace(
        "\n\n", " "
    )
