"""Cards of quotations: what may change about them, and the post that one becomes."""

from html import escape
from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.knowledge.indexing import index_pending
from agents.knowledge.models import Card, Content, Passage
from agents.knowledge.services import save_content
from agents.knowledge.services.cards import create_card
from agents.knowledge.services.contents import revise_content
from agents.models import Agent, Profile
from posts.models import Post
from posts.services.posts import remove_post
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db

QUOTE = "Storks spend the winter in Africa."


@pytest.fixture
def storks() -> Content:
    content, _ = save_content(platform="web", title="Storks [1]", text=f"{QUOTE} They return in spring.")
    index_pending()
    return content


@pytest.fixture
def card(storks: Content, alice: Profile) -> Card:
    return create_card(
        profile=alice, title="On storks", note="Worth keeping.", quotes=[(storks.passages.get().pk, QUOTE)]
    )


@pytest.fixture
def secret(wren: Agent, alice: Profile) -> Card:
    save_content(platform="note", title="Diary", text="The secret diary of wren says so.", agent=wren)
    index_pending()
    passage = Passage.objects.get(content__title="Diary")
    return create_card(profile=alice, title="Secret", quotes=[(passage.pk, "The secret diary of wren")])


@pytest.fixture
def client(alice: Profile, client_of: MakeClient) -> APIClient:
    return client_of(alice)


def change(client: APIClient, card: Card, **fields: Any) -> Any:
    return client.patch(f"/api/cards/{card.pk}", fields, format="json")


def test_a_card_is_published_changed_and_taken_back(card: Card, client: APIClient, client_of: MakeClient) -> None:
    stranger = client_of(None)
    assert stranger.get(f"/api/cards/{card.pk}").status_code == 404
    published = change(client, card, is_published=True).json()["published_at"]
    assert published and change(client, card, is_published=True, title="Storks").json()["published_at"] == published
    shown = stranger.get(f"/api/cards/{card.pk}").json()
    assert (shown["title"], shown["note"], shown["citations"][0]["quote"]) == ("Storks", "Worth keeping.", QUOTE)
    assert change(client, card, is_published=False).json()["published_at"] is None
    assert stranger.get(f"/api/cards/{card.pk}").status_code == 404
    assert client.delete(f"/api/cards/{card.pk}").status_code == 204
    assert not Card.objects.exists()


@pytest.mark.parametrize("method", ["patch", "delete", "post"])
def test_only_its_maker_changes_a_card(card: Card, client_of: MakeClient, charlie: Profile, method: str) -> None:
    address = f"/api/cards/{card.pk}" + ("/post" if method == "post" else "")
    for expected in (404, 403):
        assert getattr(client_of(charlie), method)(address, {}, format="json").status_code == expected
        Card.objects.update(published_at="2026-01-01T00:00Z")
    assert Card.objects.get().title == "On storks"
    assert not Post.objects.exists()


def test_what_one_agent_knows_is_not_published(secret: Card, client: APIClient) -> None:
    response = change(client, secret, is_published=True)
    assert response.status_code == 400 and "only one agent" in response.json()["errors"][0]["detail"]
    assert client.post(f"/api/cards/{secret.pk}/post", {}, format="json").status_code == 400
    Content.objects.all().delete()
    assert change(client, secret, is_published=True).status_code == 400
    assert client.post(f"/api/cards/{secret.pk}/post", {"layer": "followers"}, format="json").status_code == 400
    assert client.post(f"/api/cards/{secret.pk}/post", {"layer": "private"}, format="json").status_code == 201


def test_a_card_becomes_one_post_that_leads_to_its_sources(
    card: Card, storks: Content, client: APIClient, client_of: MakeClient
) -> None:
    revise_content(content=storks, title="Storks", text="Storks stay in Spain.")
    first = client.post(f"/api/cards/{card.pk}/post", {}, format="json")
    again = client.post(f"/api/cards/{card.pk}/post", {}, format="json")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["body"].startswith(f"Worth keeping.\n\n> {QUOTE}\n>\n> — [Storks (1)](/sources/")
    stranger = client_of(None)
    provenance = stranger.get(f"/api/posts/{first.json()['id']}/provenance").json()
    assert provenance["card"] == card.pk
    link = provenance["citations"][0]["link"]
    assert f'href="{escape(link)}"' in stranger.get(f"/posts/{first.json()['id']}").content.decode()
    assert f'<mark id="quote">{QUOTE}</mark>' in stranger.get(link.partition("#")[0]).content.decode()


def test_a_post_that_was_removed_can_be_made_again(card: Card, client: APIClient) -> None:
    first = client.post(f"/api/cards/{card.pk}/post", {}, format="json").json()["id"]
    remove_post(post=Post.objects.get(pk=first))
    again = client.post(f"/api/cards/{card.pk}/post", {}, format="json")
    assert again.status_code == 201 and again.json()["id"] != first


def test_a_private_post_tells_nobody_what_it_quotes(card: Card, client: APIClient, client_of: MakeClient) -> None:
    post = client.post(f"/api/cards/{card.pk}/post", {"layer": "private"}, format="json").json()["id"]
    assert client_of(None).get(f"/api/posts/{post}/provenance").status_code == 404
