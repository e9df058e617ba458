from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from agents.knowledge.models import Attribution, Card, Content, Passage, Pattern, ResearchSession, Source
from agents.knowledge.patterns import find_patterns
from agents.knowledge.services import save_author, save_content
from agents.knowledge.services.cards import create_card
from agents.knowledge.services.ledger import give_starter_grant, grant
from agents.knowledge.services.sources import request_source
from agents.models import Agent, Profile
from tests.conftest import MakeClient
from tests.factories import make_person


@pytest.fixture
def client(alice: Profile, client_of: MakeClient) -> APIClient:
    return client_of(alice)


def ask(client: APIClient, question: str = "Where do storks spend the winter?", **filters: Any) -> Any:
    return client.post("/api/query/rag", {"question": question, "filters": filters}, format="json")


def test_a_question_is_answered_with_citations(birds: list[Content], client: APIClient) -> None:
    response = ask(client)
    assert response.status_code == 201
    assert response.json()["answer"]["sentences"][0]["citation"]["quote"] == "Storks spend the winter in Africa."
    session = response.json()["id"]
    assert client.get(f"/api/research-sessions/{session}").json()["status"] == "done"
    assert client.get("/api/research-sessions").json()["results"][0]["id"] == session
    assert client.get("/api/attributions").json()["results"][-1]["session"] == session


def test_the_same_request_again_is_the_same_session_and_paid_once(birds: list[Content], client: APIClient) -> None:
    body = {"question": "Where do storks spend the winter?"}
    answers = [client.post("/api/query/rag", body, format="json", HTTP_IDEMPOTENCY_KEY="k") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert client.get("/api/tokens").json()["results"][-1] == {"kind": "wallet", "balance_micro": 9_999_900}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "question"),
        ({"question": ""}, "question"),
        ({"question": "x" * 100_000}, "question"),
        ({"question": "a\0b"}, "question"),
        ({"question": ["x"]}, "question"),
        ({"question": "x", "filters": {"platfrom": "x"}}, "filters.platfrom"),
        ({"question": "x", "filters": {"author": 2**70}}, "filters.author"),
        ({"question": "x", "filters": {"since": "yesterday"}}, "filters.since"),
        ({"question": "x", "limit": 5}, "limit"),
    ],
)
def test_a_bad_question_names_the_field(client: APIClient, body: dict[str, Any], field: str) -> None:
    response = client.post("/api/query/rag", body, format="json")
    assert response.status_code == 400
    assert field in {error["field"] for error in response.json()["errors"]}


def test_nobody_asks_on_behalf_of_anothers_agent(birds: list[Content], charlie: Profile, client_of: MakeClient) -> None:
    assert ask(client_of(charlie), agent="wren").status_code == 403
    answer = ask(client_of(charlie), "What does the secret diary say of owls?").json()["answer"]
    assert "secret" not in str(answer)


def test_without_the_scope_nothing_is_asked(birds: list[Content], alice: Profile, client_of: MakeClient) -> None:
    assert ask(client_of(alice, scopes=["read"])).status_code == 403
    assert ask(client_of(None)).status_code in (401, 403)
    assert ask(client_of(alice, scopes=["research"])).status_code == 201


def test_contents_are_filtered_and_private_ones_stay_private(
    birds: list[Content], client: APIClient, client_of: MakeClient, charlie: Profile
) -> None:
    def found(who: APIClient, query: str = "") -> set[str]:
        return {row["title"] for row in who.get(f"/api/contents?{query}").json()["results"]}

    assert found(client) == {"Wrens", "Storks", "Databases", "Diary"}
    assert found(client_of(None)) == found(client_of(charlie)) == {"Wrens", "Storks", "Databases"}
    assert found(client, "agent=WREN") == {"Diary"}
    assert found(client, "q=tork") == {"Storks"}
    assert found(client, "platform=note") == {"Diary"}
    private = Content.objects.get(title="Diary").pk
    assert client.get(f"/api/contents/{private}").json()["text"].startswith("The secret")
    assert client_of(charlie).get(f"/api/contents/{private}").status_code == 404


def card_body(passage: Passage, quote: str, **fields: Any) -> dict[str, Any]:
    return {"title": "On birds", "citations": [{"passage": passage.pk, "quote": quote}], **fields}


def test_a_card_keeps_the_quoted_words(birds: list[Content], client: APIClient, client_of: MakeClient) -> None:
    passage = Passage.objects.get(content__title="Storks")
    body = card_body(passage, "Storks spend the winter in Africa.", is_published=True)
    card = client.post("/api/cards", body, format="json")
    assert card.status_code == 201
    Content.objects.filter(title="Storks").delete()
    shown = client_of(None).get("/api/cards").json()["results"][0]
    assert shown["citations"][0]["quote"] == "Storks spend the winter in Africa."
    assert shown["citations"][0]["content"] is None


@pytest.mark.parametrize(
    ("title", "quote", "is_published", "who", "reason"),
    [
        ("Storks", "Storks spend the summer in Africa.", False, "alice", "do not stand"),
        ("Storks", "St", False, "alice", "do not stand"),
        ("Diary", "The secret diary of wren", True, "alice", "cannot be quoted in public"),
        ("Diary", "The secret diary of wren", False, "charlie", "no such passage"),
    ],
)
def test_a_card_with_a_quote_that_may_not_be_is_refused(
    birds: list[Content], client_of: MakeClient, alice: Profile, charlie: Profile, title: str, quote: str,
    is_published: bool, who: str, reason: str,
) -> None:  # fmt: skip
    client = client_of({"alice": alice, "charlie": charlie}[who])
    passage = Passage.objects.get(content__title=title)
    response = client.post("/api/cards", card_body(passage, quote, is_published=is_published), format="json")
    assert response.status_code == 400
    assert reason in response.json()["errors"][0]["detail"]
    assert response.json()["errors"][0]["field"].startswith("citations")
    assert not Card.objects.exists()


def test_an_unpublished_card_is_its_makers(birds: list[Content], client: APIClient, client_of: MakeClient) -> None:
    passage = Passage.objects.get(content__title="Diary")
    client.post("/api/cards", card_body(passage, "The secret diary of wren"), format="json")
    assert client.get("/api/cards").json()["results"] == []
    assert len(client.get("/api/cards?mine=true").json()["results"]) == 1
    assert client_of(None).get("/api/cards?mine=true").status_code in (401, 403)


def test_a_text_is_taken_in_by_a_worker(
    client: APIClient, wren: Agent, django_capture_on_commit_callbacks: Any
) -> None:
    body = {"text": "Kingfishers dive for fish.", "title": "Kingfishers", "agent": "wren"}
    response = client.post("/api/scrape", body, format="json")
    assert (response.status_code, response.json()["status"]) == (202, "pending")
    assert response["Location"].endswith(f"/api/scrape/{response.json()['id']}")
    from agents.knowledge.tasks import read_due_sources

    assert read_due_sources() == 1
    assert client.get(response["Location"]).json()["status"] == "done"
    content = Content.objects.get(title="Kingfishers")
    assert content.agent_id == wren.pk
    assert content.analyzed_at is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "https://e.org", "text": "x"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "http://user:pw@example.org/"}, "url"),
        ({"url": "http://2130706433/"}, "url"),
        ({"url": "https://example.org/", "interval_seconds": 1}, "interval_seconds"),
        ({"text": "x", "interval_seconds": 3600}, "kind"),
        ({"url": "https://example.org/", "kind": "text"}, "kind"),
    ],
)
def test_what_cannot_be_taken_in_is_refused_at_once(client: APIClient, body: dict[str, Any], field: str) -> None:
    response = client.post("/api/scrape", body, format="json")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == field
    assert not Source.objects.exists()


def test_sources_and_sessions_of_others_are_not_there(
    birds: list[Content], client: APIClient, client_of: MakeClient, charlie: Profile
) -> None:
    session = ask(client).json()["id"]
    source = client.post("/api/scrape", {"text": "A text."}, format="json").json()["id"]
    for path in (f"/api/research-sessions/{session}", f"/api/scrape/{source}"):
        assert client_of(charlie).get(path).status_code == 404
    for path in ("/api/research-sessions", "/api/scrape", "/api/attributions", "/api/tokens", "/api/tokens/statement"):
        assert client_of(charlie).get(path).json()["results"] == []
        assert client_of(None).get(path).status_code in (401, 403)


def test_the_statement_has_every_entry(birds: list[Content], client: APIClient) -> None:
    ask(client)
    kinds = [row["kind"] for row in client.get("/api/tokens/statement").json()["results"]]
    assert kinds == ["settle", "reserve", "reserve", "grant"]
    only = client.get("/api/tokens/statement?kind=grant").json()["results"]
    assert [row["amount_micro"] for row in only] == [10_000_000]


def test_authors_and_users_are_found_by_parts_of_their_names(client: APIClient) -> None:
    save_author(platform="x", name="Ada Lovelace")
    make_person("lovelorn")
    assert [row["username"] for row in client.get("/api/authors?q=ovel").json()["results"]] == ["Ada Lovelace"]
    assert [row["handle"] for row in client.get("/api/users?q=lovel").json()["results"]] == ["lovelorn"]
    assert client.get("/api/authors?q=ab").status_code == 400


def fill(alice: Profile, number: int) -> None:
    """Add one row of everything."""
    author = save_author(platform="x", name=f"author {number}")
    content, _ = save_content(platform="x", title=f"T{number}", text=f"The text of number {number}.", author=author)
    passage = Passage.objects.create(content=content, start=0, end=len(content.text), text=content.text)
    create_card(profile=alice, title="c", quotes=[(passage.pk, content.text)], is_published=True)
    request_source(profile=alice, kind="text", text="x")
    ResearchSession.objects.create(profile=alice, question="q")
    grant(profile=alice, amount_micro=1, idempotency_key=f"fill {number}")
    Pattern.objects.create(
        label="p", keywords=[], confidence_score=number, content_count=1,
        first_seen_at=content.scraped_at, last_seen_at=content.scraped_at,
    )  # fmt: skip
    make_person()


LISTS = {
    # The key and the page; cards also load their citations.
    "attributions": 2, "authors": 2, "cards": 3, "contents": 2, "patterns": 2, "patterns?order=newest": 2,
    "research-sessions": 2, "scrape": 2, "tokens": 2, "tokens/statement": 2, "users": 2,
}  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_list_runs_as_many_queries_for_twenty_rows_as_for_two(alice: Profile, client: APIClient, path: str) -> None:
    counts = []
    give_starter_grant(profile=alice)
    for number in range(20):
        fill(alice, number)
        if number in (1, 19):
            with CaptureQueriesContext(connection) as queries:
                response = client.get(f"/api/{path}")
            assert response.status_code == 200
            assert len(response.json()["results"]) >= min(number + 1, 1)
            counts.append(len(queries))
    assert counts[0] == counts[1] <= LISTS[path]


@pytest.mark.parametrize("path", [path for path in LISTS if path != "tokens"])
def test_pages_follow_each_other_without_gap_or_repeat(alice: Profile, client: APIClient, path: str) -> None:
    for number in range(5):
        fill(alice, number)
    join = "&" if "?" in path else "?"
    key = "handle" if path == "users" else "id"
    whole = [row[key] for row in client.get(f"/api/{path}{join}limit=100").json()["results"]]
    paged, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/{path}{join}limit=2{f'&cursor={cursor}' if cursor else ''}").json()
        paged += [row[key] for row in page["results"]]
        cursor = page["next_cursor"]
    assert paged == whole
    assert len(whole) >= 5


@pytest.mark.django_db
def test_patterns_are_found_among_contents_and_survive_a_second_look() -> None:
    from agents.knowledge.indexing import index_pending

    themes = {
        "birds": "The {} bird builds a nest of grass and feeds its chicks with insects in the garden hedge.",
        "databases": "The {} database query uses an index to read rows from a table of the server.",
        "cooking": "The {} soup is cooked with onions, salt, butter and pepper in a large kitchen pot.",
    }
    for words in themes.values():
        for adjective in ("small", "large", "fast", "slow", "old", "new", "green", "blue", "red", "odd"):
            save_content(platform="x", title="", text=words.format(adjective))
    Content.objects.update(near_duplicate_of=None)
    index_pending()
    Content.objects.update(near_duplicate_of=None)
    count = find_patterns()
    assert count >= 2
    discovered = dict(Pattern.objects.values_list("label", "discovered_at"))
    assert find_patterns() == count
    assert dict(Pattern.objects.values_list("label", "discovered_at")) == discovered
    assert all(-1 <= pattern.confidence_score <= 1 for pattern in Pattern.objects.all())
    assert {word for pattern in Pattern.objects.all() for word in pattern.keywords} & {"bird", "databas", "soup"}


@pytest.mark.django_db
def test_attributions_go_with_their_card(birds: list[Content], alice: Profile) -> None:
    passage = Passage.objects.get(content__title="Storks")
    card = create_card(profile=alice, title="c", quotes=[(passage.pk, passage.text)])
    card.delete()
    assert not Attribution.objects.exists()
