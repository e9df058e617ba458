from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from agents.knowledge import indexing
from agents.knowledge.models import Account, Attribution, Content, Passage, ResearchSession
from agents.knowledge.retrieval.compose import Claim
from agents.knowledge.retrieval.gate import checked
from agents.knowledge.retrieval.lexemes import refresh_lexemes
from agents.knowledge.retrieval.search import Filters, Hit, search
from agents.knowledge.services import ledger, save_content
from agents.knowledge.services.contents import revise_content
from agents.knowledge.services.research import NOT_FOUND, close_abandoned, research
from agents.knowledge.splitting import MAX_LENGTH
from agents.models import Agent, Profile


def titles(question: str, **filters: Any) -> list[str]:
    return [hit.title for hit in search(question, filters=Filters(**filters))]


def test_a_search_is_one_statement(birds: list[Content], django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        assert titles("where do storks go in winter")[0] == "Storks"


def test_each_arm_finds_on_its_own(birds: list[Content]) -> None:
    refresh_lexemes()
    assert search("index of a database", arms=("text",))[0].title == "Databases"
    assert search("index of a database", arms=("vector",))[0].title == "Databases"
    # Nobody wrote "databse": the trigrams find what looks like it.
    assert search("databse", arms=("text",)) == []
    assert search("databse", arms=("trigram",))[0].title == "Databases"


def test_a_title_is_found_although_the_text_does_not_hold_it(birds: list[Content]) -> None:
    save_content(platform="article", title="Zugunruhe", text="Caged migrants hop about at night in autumn.")
    indexing.index_pending()
    hit = search("Zugunruhe", arms=("text",))[0]
    assert (hit.title, hit.text) == ("Zugunruhe", "Caged migrants hop about at night in autumn.")


@pytest.mark.parametrize("who", ["alice", "wren", "bob", "charlie", None])
def test_what_one_agent_knows_is_found_by_it_and_its_owner_only(
    birds: list[Content], wren: Agent, alice: Profile, bob: Profile, charlie: Profile, who: str | None
) -> None:
    viewer = {"alice": alice, "wren": wren.profile, "bob": bob, "charlie": charlie, None: None}[who]
    found = "Diary" in titles("owls frighten small birds", viewer=viewer)
    assert found == (who in ("alice", "wren"))


def test_filters_narrow_the_search(birds: list[Content], wren: Agent, alice: Profile) -> None:
    question = "birds and their nests"
    assert titles(question, viewer=alice, agent=wren) == ["Diary"]
    assert titles(question, viewer=alice, platform="note") == ["Diary"]
    assert "Diary" not in titles(question, viewer=alice, author_id=birds[0].author_id)
    Content.objects.filter(title="Storks").update(published_at=timezone.now() - timedelta(days=400))
    assert titles(question, until=timezone.now() - timedelta(days=300)) == ["Storks"]
    assert "Storks" not in titles(question, since=timezone.now() - timedelta(days=300))
    assert titles(question, agent=wren) == []


@pytest.mark.parametrize(
    "question", ["", " ", "'", "\\", "a & b | !c:*", "\0", "ครีบนกบินได้อย่างไร", "x" * 100_000, "%s %(a)s {}", "\ue000"]
)
def test_no_question_breaks_the_search(birds: list[Content], question: str) -> None:
    refresh_lexemes()
    assert len(search(question)) <= 10


def test_every_passage_is_a_span_of_its_content(birds: list[Content]) -> None:
    text = "One paragraph of some length. " * 40 + "\n\n" + "word" * 1000 + "\n \n\t\nEnd."
    save_content(platform="x", title="Long", text=text)
    indexing.index_pending()
    passages = Passage.objects.filter(content__title="Long").select_related("content").order_by("start")
    assert len(passages) > 3
    assert all(passage.text == passage.content.text[passage.start : passage.end] for passage in passages)
    assert max(len(passage.text) for passage in passages) <= MAX_LENGTH
    covered = "".join("".join(passage.text.split()) for passage in passages)
    assert covered == "".join(passages[0].content.text.split())


def test_near_duplicates_are_stored_but_found_once(birds: list[Content]) -> None:
    words = [f"word{number}" for number in range(300)]
    first, _ = save_content(platform="a", title="First", text=" ".join(words))
    second, _ = save_content(platform="b", title="Second", text=" ".join([*words[:-3], "other", "end", "here"]))
    third, _ = save_content(platform="c", title="Third", text=" ".join(reversed(words)))
    indexing.index_pending()
    second.refresh_from_db()
    third.refresh_from_db()
    assert (second.near_duplicate_of_id, third.near_duplicate_of_id) == (first.pk, None)
    assert "Second" not in titles("word12 word13 word14")


def test_another_model_embeds_everything_again(birds: list[Content], monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        name, dimensions = "other", 3

        def embed(self, texts: list[str]) -> Any:
            import numpy as np

            return np.eye(1, 3, dtype=np.float32).repeat(len(texts), axis=0)

    count = Passage.objects.count()
    assert indexing.reembed() == 0
    assert indexing.reembed(embedder=Other()) == count
    assert set(Passage.objects.values_list("embedding_model", "embedding_dimensions")) == {("other", 3)}
    # Text still finds what the present model has no vectors for.
    assert titles("storks in winter")[0] == "Storks"
    assert indexing.reembed() == count
    content = Content.objects.get(title="Storks")
    assert content.embedding is not None
    assert len(content.embedding) == 256


def test_an_answer_quotes_words_that_stand_in_the_source(birds: list[Content], alice: Profile) -> None:
    session = research(profile=alice, question="Where do storks spend the winter?", filters=Filters())
    assert session.status == "done"
    citation = session.answer["sentences"][0]["citation"]
    content = Content.objects.get(pk=citation["content"])
    assert content.text[citation["start"] : citation["end"]] == citation["quote"]
    assert citation["quote"] == "Storks spend the winter in Africa."
    assert [step["step"] for step in session.steps] == ["search", "compose", "check"]
    assert Attribution.objects.filter(session=session).count() == len(session.answer["sentences"])


@pytest.mark.parametrize("question", ["What is the price of uranium in Peru?", "ราคาทองคำวันนี้เท่าไร", "?"])
def test_what_no_source_says_is_not_found(birds: list[Content], alice: Profile, question: str) -> None:
    session = research(profile=alice, question=question, filters=Filters())
    assert (session.status, session.answer["text"]) == ("not_found", NOT_FOUND)
    assert ledger.wallet_of(alice).balance_micro == 10_000_000


def liar(question: str, hits: Sequence[Hit]) -> list[Claim]:
    first, last = hits[0], hits[-1]
    private = Passage.objects.get(content__title="Diary")
    return [
        Claim("Storks are reptiles.", first.passage_id, "Storks are reptiles of the sea."),
        Claim("Changed.", first.passage_id, first.text.replace("winter", "summer")[:60]),
        Claim("From elsewhere.", first.passage_id, last.text[:60]),
        Claim("Of nothing.", 2**40, "Storks spend the winter"),
        Claim("Too little.", first.passage_id, first.text[:3]),
        Claim("No quote.", first.passage_id, ""),
        Claim("  ", first.passage_id, first.text[:40]),
        Claim("A secret.", private.pk, "The secret diary of wren"),
        Claim("True.", first.passage_id, "Storks spend the winter in Africa."),
    ]


LIAR = f"{__name__}.liar"


def test_a_claim_whose_quote_is_not_in_the_source_is_dropped(
    birds: list[Content], charlie: Profile, settings: Settings
) -> None:
    settings.ANSWER_COMPOSER = LIAR
    session = research(profile=charlie, question="Where do storks spend the winter?", filters=Filters())
    assert [sentence["text"] for sentence in session.answer["sentences"]] == ["True."]
    assert session.answer["dropped_count"] == 8


def test_the_gate_reads_what_is_stored_now(birds: list[Content], alice: Profile) -> None:
    hit = search("storks in winter")[0]
    claim = Claim("x", hit.passage_id, "Storks spend the winter in Africa.")
    assert checked([claim], viewer=alice, allowed={hit.passage_id})
    assert not checked([claim], viewer=alice, allowed=set())
    Content.objects.filter(pk=hit.content_id).update(text="Something else was written here in the meantime.")
    assert not checked([claim], viewer=alice, allowed={hit.passage_id})


def test_an_answer_is_paid_for_once_and_its_authors_get_their_share(birds: list[Content], alice: Profile) -> None:
    research(profile=alice, question="Where do storks spend the winter?", filters=Filters())
    assert ledger.wallet_of(alice).balance_micro == 10_000_000 - 100
    assert Account.objects.get(kind="earnings").balance_micro == 80
    assert (ledger.hold_of(alice).balance_micro, ledger.house().balance_micro) == (0, 20)


def test_who_has_no_credits_gets_no_answer(birds: list[Content], alice: Profile, settings: Settings) -> None:
    settings.STARTER_GRANT_MICRO = 99
    with pytest.raises(ledger.InsufficientFunds):
        research(profile=alice, question="Where do storks spend the winter?", filters=Filters())
    assert not ResearchSession.objects.exists()


def test_a_session_that_lost_its_process_is_closed_and_its_reserve_given_back(
    birds: list[Content], alice: Profile, settings: Settings
) -> None:
    settings.ANSWER_COMPOSER = f"{__name__}.broken"
    with pytest.raises(ZeroDivisionError):
        research(profile=alice, question="Where?", filters=Filters())
    assert ledger.wallet_of(alice).balance_micro == 10_000_000
    from agents.knowledge.services.research import start_session

    session = start_session(profile=alice, question="q", filters=Filters(), agent=None)
    ResearchSession.objects.filter(pk=session.pk).update(created_at=timezone.now() - timedelta(hours=1))
    assert ledger.wallet_of(alice).balance_micro == 10_000_000 - 100
    assert close_abandoned() == 1
    assert ledger.wallet_of(alice).balance_micro == 10_000_000


def broken(question: str, hits: Sequence[Hit]) -> list[Claim]:
    raise ZeroDivisionError


def test_a_revised_content_is_split_anew(birds: list[Content]) -> None:
    storks = Content.objects.get(title="Storks")
    assert not revise_content(content=storks, title="Storks", text=storks.text)
    assert revise_content(content=storks, title="Storks", text="Storks clatter with their bills when they meet.")
    indexing.index_pending()
    # Found, not found first: rows that earlier tests rolled back still lie in the vector index.
    assert any(hit.text.startswith("Storks clatter") for hit in search("storks clatter bills"))
    assert "Africa" not in " ".join(Passage.objects.values_list("text", flat=True))


def test_a_content_that_changes_while_it_is_embedded_is_left_for_the_next_round(birds: list[Content]) -> None:
    storks = Content.objects.get(title="Storks")
    revise_content(content=storks, title="", text="A new text about storks and their long legs.")
    # `storks` still holds the old text, as an indexer does that read it before the change.
    indexing.index([storks])
    storks.refresh_from_db()
    assert storks.analyzed_at is None
    assert indexing.index_pending() == 1


# Its rows are truncated: thousands of equal vectors that are only rolled back stay in the vector index and hide
# the rows of other tests from it.
@pytest.mark.django_db(transaction=True)
def test_text_and_vectors_are_searched_through_their_indexes(birds: list[Content]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO knowledge_passage
                (content_id, start, "end", text, heading, embedding, embedding_model, embedding_dimensions)
            SELECT content_id, start + 1000 * copy, "end" + 1000 * copy, text, '', embedding, embedding_model, 256
            FROM knowledge_passage, generate_series(1, 1000) copy WHERE agent_id IS NULL
            """
        )
        cursor.execute("ANALYZE knowledge_passage")
    with CaptureQueriesContext(connection) as queries:
        search("storks")
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + queries[0]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using passage_embedding_256" in plan
    assert "Bitmap Index Scan on passage_search" in plan
