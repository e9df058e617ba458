"""An agent's knowledge: its owner's only, asked for once, and every failure with its reason."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from agents.knowledge import poking
from agents.knowledge.models import Content, Source
from agents.knowledge.services.contents import save_content
from agents.models import Agent, Profile
from tests.budgets import assert_within_budget

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
KNOWLEDGE = "/studio/@wren/knowledge"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poking, "_send", lambda task, args: None)


def add_source(profile: Profile, agent: Agent, number: int, **fields: Any) -> Source:
    url = f"https://example.org/{number}?{SCRIPT}"
    return Source.objects.create(profile=profile, agent=agent, kind=Source.Kind.URL, url=url, **fields)


@pytest.mark.parametrize("count", [2, 30])
def test_the_pages_take_four_statements(count: int, alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    # The user; the agent; the rows; what is unread.
    for number in range(count):
        add_source(alice, wren, number, status="failed", problem=f"{SCRIPT} {number}", title=SCRIPT)
        save_content(platform="text", title=f"{SCRIPT} {number}", text=f"{SCRIPT} {number}", agent=wren)
    for path in (KNOWLEDGE, f"{KNOWLEDGE}/texts"):
        page = assert_within_budget(browser_of(alice), path, exact=True)
        assert "&lt;script&gt;" in page.text and SCRIPT not in page.text


def test_older_rows_come_by_a_signed_cursor(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    for number in range(25):
        add_source(alice, wren, number, title=f"Source {number:02}")
    client = browser_of(alice)
    first = client.get(KNOWLEDGE).text
    older = first.partition('href="?cursor=')[2].partition('"')[0]
    second = client.get(f"{KNOWLEDGE}?cursor={older}").text
    assert "Source 05" in first and "Source 04" not in first
    assert "Source 04" in second and "Source 05" not in second and "?cursor=" not in second
    assert client.get(f"{KNOWLEDGE}?cursor={older[:-1]}").status_code == 400


def test_an_address_and_a_text_are_taken_in_once_each(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    client = browser_of(alice)
    for _ in range(2):
        answer = client.post(
            KNOWLEDGE, {"url": "https://example.org/feed", "interval_seconds": "86400", "token": "one"}
        )
        assert answer["Location"] == KNOWLEDGE
    client.post(KNOWLEDGE, {"text": "A wren weighs nine grams.", "title": "Wrens", "token": "two"})
    feed, text = Source.objects.order_by("pk")
    assert (feed.url, feed.interval_seconds, feed.agent) == ("https://example.org/feed", 86400, wren)
    assert (text.kind, text.title, text.interval_seconds) == (Source.Kind.TEXT, "Wrens", None)
    again = client.post(KNOWLEDGE, {"text": "Another.", "token": "two"})
    assert again.status_code == 422 and "was sent already" in again.text and "Another.</textarea>" in again.text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "either an address or a text"),
        ({"url": "https://example.org", "text": "Both"}, "either an address or a text"),
        ({"url": "javascript:alert(1)"}, "Enter a valid URL"),
        ({"url": "https://me:secret@example.org/"}, "must not hold a user name"),
        ({"url": "ftp://example.org/"}, "Only http and https"),
        ({"text": "a\x00b"}, "Null characters"),
        ({"url": "https://example.org", "interval_seconds": "7"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_read_is_said_and_kept(
    form: dict[str, str], words: str, alice: Profile, wren: Agent, browser_of: BrowserOf
) -> None:
    refused = browser_of(alice).post(KNOWLEDGE, {**form, "title": "Kept as typed", "token": "t"})
    assert refused.status_code == 422 and words in refused.text and "Kept as typed" in refused.text
    assert not Source.objects.exists()


def test_a_failure_has_its_reason_and_can_be_tried_again(alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    source = add_source(alice, wren, 1, status="failed", problem="The host answered 404.", failure_count=1)
    client = browser_of(alice)
    page = client.get(KNOWLEDGE).text
    assert "The host answered 404." in page and "Try again" in page
    for _ in range(2):
        client.post(KNOWLEDGE, {"url": source.url, "token": f"again-{source.pk}-1"})
    assert Source.objects.count() == 2


def test_a_text_is_shown_as_it_is_and_its_address_only_if_it_is_one(
    alice: Profile, wren: Agent, browser_of: BrowserOf
) -> None:
    content, _ = save_content(platform="web", title=SCRIPT, text=SCRIPT, url="https://example.org/x", agent=wren)
    client = browser_of(alice)
    page = client.get(f"{KNOWLEDGE}/texts/{content.pk}").text
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 2 and SCRIPT not in page
    assert 'href="https://example.org/x"' in page
    Content.objects.filter(pk=content.pk).update(url="javascript:alert(1)")
    assert "javascript:" not in client.get(f"{KNOWLEDGE}/texts/{content.pk}").text
    assert client.get(f"{KNOWLEDGE}/texts/{2**70}").status_code == 404


def test_the_knowledge_of_others_is_theirs(alice: Profile, bob: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    content, _ = save_content(platform="text", title="Secret", text="Secret", agent=wren)
    for path in (KNOWLEDGE, f"{KNOWLEDGE}/texts", f"{KNOWLEDGE}/texts/{content.pk}"):
        assert browser_of(bob).get(path).status_code == 403
        assert browser_of(None).get(path)["Location"].startswith("/log-in")
    assert browser_of(bob).post(KNOWLEDGE, {"text": "Mine now", "token": "t"}).status_code == 403
    assert not Source.objects.exists()
