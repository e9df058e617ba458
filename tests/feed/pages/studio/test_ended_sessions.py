"""Forms that are sent after the session has ended: what was typed waits on the page until after the log-in."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from agents.knowledge.services.cards import create_card
from agents.knowledge.services.contents import save_content
from agents.models import Agent, Profile
from agents.services.agents import save_persona
from feed.pages.drafts import MOST_CHARACTERS
from posts.generation.models import Run
from tests.publishing import make_account, make_publication

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
TYPED = "Typed for an hour <b>"


@pytest.mark.parametrize(
    ("sent_to", "page", "field"),
    [
        ("/studio/new", "/studio/new", "bio"),
        ("/studio/@wren/write", "/studio/@wren", "topic"),
        ("/studio/@wren/persona", "/studio/@wren/persona", "system"),
        ("/studio/@wren/cadence", "/studio/@wren/cadence", "slots"),
        ("/studio/@wren/knowledge", "/studio/@wren/knowledge", "text"),
        ("/studio/@wren/knowledge/texts/{text}/card", "/studio/@wren/knowledge/texts/{text}", "note"),
        ("/studio/cards/{card}", "/studio/cards/{card}", "note"),
        ("/studio/calendar/new", "/studio/calendar/new", "text"),
        ("/studio/calendar/import", "/studio/calendar/import", "text"),
        ("/studio/calendar/accounts/{account}", "/studio/calendar/accounts", "{account}-mon"),
        ("/studio/calendar/accounts/connect", "/studio/calendar/accounts", "name"),
        ("/studio/calendar/{publication}/move", "/studio/calendar/{publication}", "day"),
    ],
)
def test_what_was_typed_is_there_again_after_the_log_in(
    sent_to: str, page: str, field: str, alice: Profile, wren: Agent, browser_of: BrowserOf
) -> None:
    save_persona(agent=wren, persona={"system": "As it was."})
    account = make_account(owner=alice)
    planned = make_publication(account=account, scheduled_at=timezone.now() + timedelta(days=2))
    text, _ = save_content(platform="text", title="On wrens", text="A wren weighs nine grams.", agent=wren)
    ids = {"text": text.pk, "card": create_card(profile=alice, title="As it was").pk}
    ids |= {"account": account.pk, "publication": planned.pk}
    client, page, field = browser_of(None), page.format(**ids), field.format(**ids)
    answer = client.post(sent_to.format(**ids), {field: TYPED, "token": "one", "password": "secret"})
    assert unquote(answer["Location"]) == f"/log-in?next={page}"
    assert "secret" not in str(dict(client.session))
    assert alice.user
    client.force_login(alice.user)
    assert TYPED.replace("<", "&lt;").replace(">", "&gt;") in client.get(page).text
    assert "Typed for an hour" not in client.get(page).text
    assert not Run.objects.exists()


def test_a_box_that_was_emptied_stays_empty(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    client = browser_of(None)
    client.post("/studio/@wren/cadence", {"pipeline": "article", "every_hours": "3", "time_zone": "Asia/Tokyo"})
    assert alice.user
    client.force_login(alice.user)
    page = client.get("/studio/@wren/cadence").text
    assert 'value="3"' in page and "Asia/Tokyo" in page and " checked" not in page


def test_strangers_fill_no_sessions(wren: Agent, browser_of: BrowserOf, settings: Settings) -> None:
    settings.REQUESTS_PER_MINUTE = {**settings.REQUESTS_PER_MINUTE, "login": 3}
    clients = [browser_of(None) for _ in range(5)]
    for client in clients:
        client.post("/studio/@wren/persona", {"system": "x" * (MOST_CHARACTERS + 1), "lore": "y" * 100})
    kept = [client.session.get("drafts") for client in clients]
    assert [bool(each) for each in kept] == [True] * 3 + [False] * 2
    fields = kept[0]["/studio/@wren/persona"]
    assert len(fields["system"][0]) == MOST_CHARACTERS and fields["lore"] == [""]
