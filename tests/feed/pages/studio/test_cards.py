"""Cards: made of words that stand in a text, published where everybody may read those, and made a post."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from agents.knowledge.indexing import index
from agents.knowledge.models import Card, Content, Passage, Pattern
from agents.knowledge.services.cards import create_card
from agents.knowledge.services.contents import save_content
from agents.models import Agent, Profile
from posts.models import Post
from tests.budgets import assert_within_budget

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
SCRIPT = "<script>alert(1)</script>"
TEXT = f"A wren weighs nine grams, {SCRIPT} and sings for the weight of a hundred.\n\nNobody knows why."
WORDS = "sings for the weight of a hundred"


def read(agent: Agent | None, text: str = TEXT) -> Content:
    content, _ = save_content(platform="text", title=f"On wrens {SCRIPT}", text=text, agent=agent)
    index([content])
    return content


def card_of(profile: Profile, content: Content, **fields: Any) -> Card:
    passage = Passage.objects.get(content=content)
    return create_card(
        profile=profile, title=f"Loud {SCRIPT}", note="Small *and* loud.", quotes=[(passage.pk, WORDS)], **fields
    )


@pytest.mark.parametrize("count", [2, 20])
def test_the_pages_take_as_many_statements_whatever_their_size(
    count: int, alice: Profile, browser_of: BrowserOf
) -> None:
    # The user; the cards; their citations. Or the user; the themes; or the user; a theme; its texts.
    # And what is unread.
    content = read(None)
    for number in range(count):
        card = card_of(alice, content, is_published=True)
        seen = content.scraped_at
        theme = Pattern.objects.create(
            label=f"song {SCRIPT} {number}", keywords=[SCRIPT], confidence_score=0.1, content_count=1,
            first_seen_at=seen, last_seen_at=seen,
        )  # fmt: skip
        theme.contents.add(content)
    for path in ("/cards", "/studio/cards", f"/cards/{card.pk}", "/studio/patterns", f"/studio/patterns/{theme.pk}"):
        page = assert_within_budget(browser_of(alice), path, exact=True)
        assert "&lt;script&gt;" in page.text and SCRIPT not in page.text, path


def test_a_card_is_made_of_the_words_of_a_text_once(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    client, content = browser_of(alice), read(wren)
    page = f"/studio/@wren/knowledge/texts/{content.pk}"
    form = {"quote": WORDS, "title": "Loud", "note": "Small and loud.", "token": "one"}
    places = {client.post(f"{page}/card", form)["Location"] for _ in range(2)}
    card = Card.objects.get()
    assert places == {f"/studio/cards/{card.pk}"}
    assert card.published_at is None and card.citations.get().quote == WORDS
    for wrong in ({"quote": "words that nobody wrote in it"}, {"title": ""}, {"title": "Other words", "quote": WORDS}):
        refused = client.post(f"{page}/card", {**form, **wrong})
        assert refused.status_code == 422 and "Small and loud.</textarea>" in refused.text, wrong
    assert Card.objects.count() == 1


def test_everybody_reads_a_published_card_and_lands_on_the_quoted_words(
    alice: Profile, bob: Profile, browser_of: BrowserOf
) -> None:
    card = card_of(alice, read(None))
    path, stranger = f"/cards/{card.pk}", browser_of(None)
    assert [client.get(path).status_code for client in (stranger, browser_of(bob))] == [404, 404]
    client = browser_of(alice)
    assert client.get(path).status_code == 200
    for _ in range(2):
        client.post(f"/studio/cards/{card.pk}/publish")
    page = stranger.get(path).text
    assert "<em>and</em>" in page and f'href="{path}"' in stranger.get("/cards").text
    (source,) = re.findall(r'href="(/sources/[^"]*)"', page)
    assert f'<mark id="quote">{WORDS}</mark>' in stranger.get(unescape(source)).text
    client.post(f"/studio/cards/{card.pk}/withdraw")
    assert stranger.get(path).status_code == 404 and "Loud" not in stranger.get("/cards").text


def test_a_card_becomes_one_post_from_its_page(alice: Profile, browser_of: BrowserOf) -> None:
    card, client = card_of(alice, read(None)), browser_of(alice)
    places = {client.post(f"/studio/cards/{card.pk}/post")["Location"] for _ in range(2)}
    assert places == {f"/posts/{Post.objects.get().pk}"}
    assert WORDS in client.get(places.pop()).text


def test_what_one_agent_knows_does_not_leave_on_a_card(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    card, client = card_of(alice, read(wren)), browser_of(alice)
    for decision in ("publish", "post"):
        told = client.post(f"/studio/cards/{card.pk}/{decision}", follow=True).text
        assert "Nothing was changed. What only one agent knows cannot be quoted in public." in told
    assert not Post.objects.exists() and browser_of(None).get(f"/cards/{card.pk}").status_code == 404


def test_a_card_is_edited_and_deleted_by_who_made_it(alice: Profile, bob: Profile, browser_of: BrowserOf) -> None:
    card = card_of(alice, read(None), is_published=True)
    path, client, other = f"/studio/cards/{card.pk}", browser_of(alice), browser_of(bob)
    assert [other.get(path).status_code, other.post(f"{path}/delete").status_code] == [404, 404]
    assert client.post(path, {"title": "Kept", "note": "as typed"})["Location"] == path
    refused = client.post(path, {"title": "", "note": "still here"})
    assert refused.status_code == 422 and "still here" in refused.text
    assert client.post(f"{path}/burn").status_code == 404
    assert client.post(f"{path}/delete")["Location"] == "/studio/cards"
    assert not Card.objects.exists() and client.get(path).status_code == 404
