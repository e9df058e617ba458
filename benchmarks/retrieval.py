"""Measure retrieval: how often the right article is found, how fast, how fast articles go in, whether quotes are true.

Works on a file of Markdown articles as `import_articles` reads them, in a database of its own,
`aviary_bench_retrieval`, which is made anew.
"""

import gzip
import json
import math
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from pathlib import Path
from statistics import quantiles
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from agents.importing.records import Record
from agents.importing.report import Report
from agents.knowledge.articles import ARTICLES, pieces_of_articles
from agents.knowledge.beside import do_all
from agents.knowledge.counts import read_counts, statement
from agents.knowledge.embeddings import current_embedder
from agents.knowledge.management.ingesting import WORKERS
from agents.knowledge.models import Account, Content, LedgerEntry, Passage
from agents.knowledge.retrieval.compose import Claim, extract
from agents.knowledge.retrieval.lexemes import refresh_lexemes
from agents.knowledge.retrieval.search import Filters, Hit, search
from agents.knowledge.services import ledger
from agents.knowledge.services.research import research
from agents.services.people import create_person
from benchmarks import databases
from benchmarks.options import Options
from benchmarks.results import Row
from benchmarks.retrieval_questions import Question, questions_and_articles

DATABASE = "aviary_bench_retrieval"
ARMS: dict[str, tuple[str, ...]] = {
    "text alone": ("text",),
    "vectors alone": ("vector",),
    "hybrid": ("text", "trigram", "vector"),
}
ANSWERS = 200
TRANSFERS = 10_000
# A start beyond any real one tells the added from the real.
COPIES = """
WITH real AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY content_id, start) - 1 AS place, passage.*
    FROM knowledge_passage passage WHERE start < 1000000
),
total AS (SELECT count(*) AS passages FROM real),
made AS (SELECT max(start) / 1000000 AS copies FROM knowledge_passage)
INSERT INTO knowledge_passage
    (content_id, agent_id, start, "end", text, heading, search_vector, embedding, embedding_model, embedding_dimensions)
SELECT one.content_id, one.agent_id, one.start + 1000000 * copy, one."end" + 1000000 * copy, one.text, one.heading,
    one.search_vector,
    l2_normalize((one.embedding + other.embedding + noise.vector::halfvec)::halfvec(256)),
    one.embedding_model, one.embedding_dimensions
FROM total, made, generate_series(copies + 1, copies + 1 + %(missing)s / passages) AS copy, real AS one, real AS other,
    -- Of length 1 on average: 256 numbers with a deviation of 1/16.
    LATERAL (
        SELECT array_agg(random_normal(0, 0.0625))::vector FROM generate_series(1, 256) WHERE copy + one.place > 0
    ) AS noise(vector)
WHERE other.place = (one.place * 7919 + copy * 104729) %% passages
LIMIT %(missing)s
"""


def row(name: str, value: float, op: str, goal: float, unit: str) -> Row:
    return Row(name, round(value, 4), op, goal, unit)


def articles_in(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as lines:
        yield from map(json.loads, lines)


def ingest_rate(articles: Sequence[dict[str, Any]]) -> list[Row]:
    """Parse, split, embed and index everything."""
    current_embedder()
    report = Report()
    records = (Record(str(number), article) for number, article in enumerate(articles))
    started = time.perf_counter()
    do_all(pieces_of_articles(records), report=report, workers=WORKERS)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1) / 1024
    return [
        row("articles taken in and indexed", report.outcomes[ARTICLES, "created"] / seconds, ">=", 200, "articles/s"),
        row("memory while articles go in", peak, "<=", 300, "MB"),
    ]


def quality(questions: Sequence[Question]) -> list[Row]:
    """Compare the arms with their fusion on the questions that were kept away from tuning."""
    asked = [question for question in questions if question.is_held_out]
    by_arms = {name: _measure(asked, arms) for name, arms in ARMS.items()}
    hybrid = by_arms.pop("hybrid")
    found = [row("recall@5, hybrid", hybrid["recall@5"], ">=", 0.9, "")]
    for figure, value in hybrid.items():
        best = max(arms[figure] for arms in by_arms.values())
        found.append(row(f"{figure}, hybrid, above either arm alone", value, ">", round(best, 4), ""))
    for name, figures in by_arms.items():
        found += [Row(f"{figure}, {name}", round(value, 4)) for figure, value in figures.items()]
    return found


def _measure(questions: Sequence[Question], arms: tuple[str, ...]) -> dict[str, float]:
    places = []
    for question in questions:
        urls = list(dict.fromkeys(hit.url for hit in search(question.text, limit=30, arms=arms)))[:10]
        places.append(urls.index(question.url) + 1 if question.url in urls else 0)
    count = len(places)
    return {
        "recall@5": sum(0 < place <= 5 for place in places) / count,
        "MRR@10": sum(1 / place for place in places if place) / count,
        "nDCG@10": sum(1 / math.log2(place + 1) for place in places if place) / count,
    }


def citation_precision(questions: Sequence[Question]) -> list[Row]:
    """Ask with a composer that invents every other quote; count the citations that stand in the stored text."""
    person = create_person(username="bench", password=None)
    total = true = 0
    with override_settings(ANSWER_COMPOSER=f"{__name__}.invent"):
        for question in questions[:ANSWERS]:
            session = research(profile=person, question=question.text, filters=Filters())
            for sentence in session.answer["sentences"]:
                citation = sentence["citation"]
                text = Content.objects.values_list("text", flat=True).get(pk=citation["content"])
                total += 1
                true += text[citation["start"] : citation["end"]] == citation["quote"] != ""
    return [row(f"citation precision on {ANSWERS} answers, quotes invented", true / max(total, 1), ">=", 1.0, "")]


def invent(question: str, hits: Sequence[Hit]) -> list[Claim]:
    """Answer as the default composer does, with as many lies in between."""
    honest = extract(question, hits)
    lies = [
        Claim("Swapped.", hits[-1].passage_id, claim.quote.swapcase()) if number % 2 else
        Claim("Elsewhere.", 2**50, claim.quote)
        for number, claim in enumerate(honest)
    ]  # fmt: skip
    return [*lies, *honest, Claim("Made up.", hits[0].passage_id, "As everybody knows, this was proven long ago.")]


def speed(questions: Sequence[Question], passages: int) -> list[Row]:
    """Time the one statement inside the database over that many passages: the real ones and others like them."""
    multiply_passages(passages)
    # The quickest of three: what the statement takes, not what else the machine does meanwhile.
    times = [min(_execution_ms(question.text) for _ in range(3)) for question in questions[:100]]
    return [row(f"hybrid retrieval over {passages:,} passages, p95", quantiles(times, n=20)[18], "<=", 20, "ms")]


def multiply_passages(count: int) -> None:
    """Add passages with the words of real ones and vectors of their own.

    A vector that is added lies between those of two real passages, and as far again in a direction of its own, the same
    in every run: about as near to the next as real ones are, and nowhere side by side, where a search would find a
    hundred by finding one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET maintenance_work_mem = '1500MB'")
        # Built at the end in a tenth of the time that it takes to add row after row.
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE indexname IN ('passage_embedding_256', 'passage_search')"
        )
        indexes = dict(cursor.fetchall())
        for name in indexes:
            cursor.execute(f"DROP INDEX {name}")
        # The words are those of real passages: parsing them a million times over took half of the time.
        cursor.execute("ALTER TABLE knowledge_passage ALTER COLUMN search_vector DROP EXPRESSION IF EXISTS")
        cursor.execute("SELECT setseed(0.6)")
        cursor.execute(COPIES, {"missing": max(count - Passage.objects.count(), 0)})
        for definition in indexes.values():
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE knowledge_passage")
    refresh_lexemes()


def counting() -> list[Row]:
    """Count everything there is, and how many of the larger tables are read from end to end for it."""
    with CaptureQueriesContext(connection) as queries:
        found = read_counts()
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement())
        plan = cursor.fetchone()[0][0]
    large = {f"knowledge_{name.removesuffix('s')}" for name, count in found.items() if count.is_estimate}
    scanned = [node for node in _nodes(plan["Plan"]) if node["Node Type"] == "Seq Scan"]
    size = f"{found['passages'].count:,} passages"
    return [
        row(f"counts over {size}: statements", len(queries), "<=", 1, "statements"),
        row(f"counts over {size}: time", plan["Execution Time"], "<=", 50, "ms"),
        row(
            f"counts over {size}: large tables read from end to end",
            sum(node["Relation Name"] in large for node in scanned), "==", 0, "tables",
        ),
    ]  # fmt: skip


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _execution_ms(question: str) -> float:
    """Run one search and return what the database took for it."""
    seconds: list[float] = []

    def timed(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        with connection.connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + sql, params)
            seconds.append(cursor.fetchone()[0][0]["Execution Time"])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(timed):
        search(question)
    return seconds[0]


def ledger_rate() -> list[Row]:
    """Write transfers in batches of a hundred on one connection."""
    person = create_person(username="ledger-bench", password=None)
    ledger.grant(profile=person, amount_micro=TRANSFERS, idempotency_key="bench")
    wallet, house = ledger.wallet_of(person), ledger.house()
    started = time.perf_counter()
    for numbers in batched(range(TRANSFERS), 100):
        ledger.post_transfers(
            ledger.Transfer(wallet, house, 1, LedgerEntry.Kind.GENERATION, f"bench {number}") for number in numbers
        )
    seconds = time.perf_counter() - started
    assert Account.objects.get(pk=wallet.pk).balance_micro == 0
    return [row("ledger entries in batches on one connection", 2 * TRANSFERS / seconds, ">=", 2000, "entries/s")]


WORK: dict[str, Callable[[Sequence[Question]], list[Row]]] = {
    "quality": quality,
    "citations": citation_precision,
    "ledger": lambda questions: ledger_rate(),
    "10k": lambda questions: speed(questions, 10_000),
    "100k": lambda questions: speed(questions, 100_000),
    "1m": lambda questions: speed(questions, 1_000_000),
    "counts": lambda questions: counting(),
}


def rows(options: Options) -> list[Row]:
    """Take the articles of the options in and measure everything, a million passages only on request."""
    assert options.articles is not None
    make_anew()
    questions, articles = questions_and_articles(articles_in(options.articles))
    found = ingest_rate(articles)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE knowledge_passage")
    refresh_lexemes()
    for name, work in WORK.items():
        if name != "1m" or options.is_all:
            found += work(questions)
    speeds = [each.value for each in found if each.name.startswith("hybrid retrieval over")]
    largest = "1m" if options.is_all else "100k"
    found.append(row(f"the same, {largest} passages vs 10k", speeds[-1] / speeds[0], "<=", 2.0, "x"))
    with CaptureQueriesContext(connection) as queries:
        search("herons at dawn")
    return [*found, row("statements of a search", len(queries), "<=", 1, "statements")]


def make_anew() -> None:
    databases.administer(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    databases.use(databases.prepared(DATABASE))
