"""What strangers send, item by item: each has one clear outcome, and nothing else is lost or shown."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.importing.report import Report
from agents.knowledge import indexing
from agents.knowledge.feeds import ENTRIES, import_feed
from agents.knowledge.fetching import client as fetching
from agents.knowledge.models import Content, Passage, ResearchSession, Source
from agents.knowledge.services.contents import revise_content
from agents.knowledge.services.sources import read_source, request_source
from agents.models import Profile
from tests.agents.knowledge.test_sources import FEED, Site
from tests.agents.knowledge.test_sources import site as site
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db
WORDS = "Über den Zaunkönig"
ITEM = f"<rss version='2.0'><channel><item><description>{WORDS}</description></item></channel></rss>"


@pytest.mark.parametrize(
    "document",
    [
        f"<?xml version='1.0' encoding='utf-8'?>{ITEM}".encode("latin-1"),
        f"<?xml version='1.0' encoding='us-ascii'?>{ITEM}".encode(),
        f"<?xml version='1.0' encoding='x-nothing'?>{ITEM}".encode(),
        f"<?xml version='1.0' encoding='utf-8'?>{ITEM}".encode("utf-16"),
        b"\xef\xbb\xbf" + f"<?xml version='1.0' encoding='iso-8859-1'?>{ITEM}".encode(),
    ],
    ids=["says utf-8, is latin-1", "says ascii, is utf-8", "says nothing known", "says utf-8, is utf-16", "mark wins"],
)
def test_a_feed_that_lies_about_its_charset_is_read_all_the_same(document: bytes) -> None:
    report = Report()
    import_feed(document, where="liar", report=report)
    assert report.outcomes[ENTRIES, "created"] == 1
    assert Content.objects.get().text == WORDS


def outcome(profile: Profile, url: str, **fields: Any) -> Source:
    source = request_source(profile=profile, kind="url", url=url, **fields)
    assert read_source(source.pk)
    source.refresh_from_db()
    return source


def test_a_feed_that_lies_about_its_type_is_read_all_the_same(site: str, alice: Profile) -> None:
    Site.pages["/a.png"] = 200, "", FEED
    Site.fields = {"Content-Type": "image/png"}
    assert (outcome(alice, f"{site}/a.png").status, Content.objects.get().platform) == ("done", "feed")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"Content-Length": "99999"}, "no usable answer: IncompleteRead"),
        ({"Content-Length": "20"}, "no entries"),
        ({"Content-Encoding": "gzip"}, "no usable answer"),
    ],
    ids=["says more than it sends", "says less than it sends", "says packed"],
)
def test_a_feed_that_lies_about_its_length_is_a_failure_to_be_tried_again(
    site: str, alice: Profile, fields: dict[str, str], problem: str
) -> None:
    Site.pages["/feed"] = 200, "", FEED
    Site.fields = fields
    source = outcome(alice, f"{site}/feed", interval_seconds=3600)
    assert (source.status, source.due_at is not None) == ("failed", True)
    assert problem in source.problem
    assert not Content.objects.exists()
    Site.fields = {}
    Source.objects.update(due_at=source.created_at)
    assert read_source(source.pk)
    assert Content.objects.count() == 1


def test_a_page_of_fifty_megabytes_is_left_at_the_limit(site: str, alice: Profile) -> None:
    Site.pages["/large"] = 200, "", "<html>" + "a" * 50_000_000
    source = outcome(alice, f"{site}/large")
    assert source.problem == f"The answer is larger than {fetching.MAX_BYTES} bytes."
    assert not Content.objects.exists()


@pytest.mark.parametrize(
    ("location", "problem", "status"),
    [
        ("/loop", "More than 5 redirects.", "pending"),
        ("file:///etc/passwd", "Only http and https URLs are fetched.", "failed"),
        ("http://169.254.169.254/latest/meta-data/", "The host is not on the public internet.", "failed"),
    ],
)
def test_a_page_that_leads_astray_is_not_followed(
    site: str, alice: Profile, location: str, problem: str, status: str
) -> None:
    Site.pages["/loop"] = 302, "", ""
    Site.fields = {"Location": location}
    source = outcome(alice, f"{site}/loop")
    assert (source.problem, source.status) == (problem, status)
    assert not Content.objects.exists()


def test_a_text_with_nul_is_refused_and_one_with_private_characters_is_kept(
    alice: Profile, client_of: MakeClient
) -> None:
    client = client_of(alice)
    refused = client.post("/api/scrape", {"text": "a\0b"}, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "text")
    kept = client.post("/api/scrape", {"text": "The sign \ue000 stands here."}, format="json")
    assert kept.status_code == 202
    assert read_source(kept.json()["id"])
    assert Content.objects.get().text == "The sign \ue000 stands here."


@pytest.mark.parametrize("question", ["ก" * 34_000, "x" * 100_000, "", "   "])
def test_a_question_that_is_too_long_or_empty_is_refused_by_name(
    birds: list[Content], alice: Profile, client_of: MakeClient, question: str
) -> None:
    response = client_of(alice).post("/api/query/rag", {"question": question}, format="json")
    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")
    assert [error["field"] for error in response.json()["errors"]] == ["question"]
    assert not ResearchSession.objects.exists()


def test_a_question_in_thai_is_answered_from_a_thai_text_or_not_at_all(
    birds: list[Content], alice: Profile, client_of: MakeClient
) -> None:
    def ask(question: str) -> Any:
        response = client_of(alice).post("/api/query/rag", {"question": question}, format="json")
        assert response.status_code == 201
        return response.json()["answer"]

    assert ask("ราคาทองคำวันนี้เท่าไร")["text"] == "not found in your sources"
    assert ask("ราคาทองคำวันนี้เท่าไร")["sentences"] == []


def cite(client: APIClient, title: str, quote: str, **fields: Any) -> Any:
    passage = Passage.objects.get(content__title=title).pk
    body = {"title": "Card", "citations": [{"passage": passage, "quote": quote}], **fields}
    return client.post("/api/cards", body, format="json")


def test_a_private_passage_is_cited_by_its_owner_for_themselves_only(
    birds: list[Content], alice: Profile, charlie: Profile, client_of: MakeClient
) -> None:
    words = "The secret diary of wren"
    stranger = cite(client_of(charlie), "Diary", words)
    assert stranger.status_code == 400
    assert "no such passage" in stranger.json()["errors"][0]["detail"]
    assert words not in stranger.content.decode()
    assert cite(client_of(alice), "Diary", words, is_published=True).status_code == 400
    card = cite(client_of(alice), "Diary", words)
    assert card.status_code == 201
    assert client_of(charlie).get(f"/api/cards/{card.json()['id']}").status_code == 404


def test_a_card_keeps_the_version_that_it_quoted_when_the_passage_is_edited(
    birds: list[Content], alice: Profile, client_of: MakeClient
) -> None:
    quote = "Storks spend the winter in Africa."
    client = client_of(alice)
    card = cite(client, "Storks", quote, is_published=True).json()
    content = Content.objects.get(title="Storks")
    assert revise_content(content=content, title="Storks", text="Storks stay in Spain these days.")
    assert indexing.index_pending() == 1
    citation = client_of(None).get(f"/api/cards/{card['id']}").json()["citations"][0]
    assert (citation["quote"], citation["content"]) == (quote, content.pk)
    page = client.get(citation["link"].partition("#")[0]).content.decode()
    assert f"{quote}</mark>" in page
    # Nobody can quote by that place what does not stand there any more.
    assert cite(client, "Storks", quote).status_code == 400
