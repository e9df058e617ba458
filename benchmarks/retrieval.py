"""Measure retrieval: how often the right article is found, how fast, how fast articles go in, whether quotes are true.

Run with `python -m benchmarks.retrieval FILE.jsonl.gz [FIGURE ...]`, the file holding Markdown articles as
`import_articles` reads them. Works in a database of its own, `aviary_bench_retrieval`, which is made anew.
"""

import gzip
import json
import math
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from pathlib import Path
from statistics import quantiles
from typing import Any

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()

from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from agents.knowledge.imports import ImportReport, save_articles
from agents.knowledge.indexing import index_pending
from agents.knowledge.indexing_beside import indexing_beside
from agents.knowledge.models import Account, Content, LedgerEntry, Passage
from agents.knowledge.retrieval.compose import Claim, extract
from agents.knowledge.retrieval.lexemes import refresh_lexemes
from agents.knowledge.retrieval.search import Filters, Hit, search
from agents.knowledge.services import ledger
from agents.knowledge.services.research import research
from agents.services.people import create_person
from benchmarks import databases
from benchmarks.parts import Options
from benchmarks.retrieval_questions import Question, questions_and_articles

DATABASE = "aviary_bench_retrieval"
ARMS: dict[str, tuple[str, ...]] = {
    "text alone": ("text",),
    "vectors alone": ("vector",),
    "hybrid": ("text", "trigram", "vector"),
}
ANSWERS = 200
TRANSFERS = 10_000

type Row = dict[str, Any]


def row(name: str, value: float, op: str, goal: float, unit: str) -> Row:
    return {"name": name, "value": round(value, 4), "op": op, "goal": goal, "unit": unit}


def articles_in(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as lines:
        yield from map(json.loads, lines)


def ingest_rate(articles: Sequence[dict[str, Any]]) -> list[Row]:
    """Parse, split, embed and index everything."""
    index_pending(limit=1)
    started = time.perf_counter()
    report = ImportReport()
    with indexing_beside(workers=2) as hand_over:
        for number, batch in enumerate(batched(articles, 50)):
            save_articles([(str(number), article) for article in batch], report, None)
            hand_over()
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024) / 1024
    return [
        row("articles taken in and indexed", report.created / seconds, ">=", 200, "articles/s"),
        row("memory while articles go in", memory * 1024, "<=", 300, "MB"),
    ]


def quality(questions: Sequence[Question]) -> list[Row]:
    """Compare the arms with their fusion on the questions that were kept away from tuning."""
    asked = [question for question in questions if question.is_held_out]
    figures = {name: _measure(asked, arms) for name, arms in ARMS.items()}
    best = {figure: max(figures["text alone"][figure], figures["vectors alone"][figure]) for figure in ("mrr", "ndcg")}
    return [
        row("recall@5, hybrid", figures["hybrid"]["recall"], ">=", 0.9, ""),
        row("recall@5, text alone", figures["text alone"]["recall"], "<", figures["hybrid"]["recall"], ""),
        row("recall@5, vectors alone", figures["vectors alone"]["recall"], "<", figures["hybrid"]["recall"], ""),
        row("MRR@10, hybrid", figures["hybrid"]["mrr"], ">", round(best["mrr"], 4), ""),
        row("nDCG@10, hybrid", figures["hybrid"]["ndcg"], ">", round(best["ndcg"], 4), ""),
    ]


def _measure(questions: Sequence[Question], arms: tuple[str, ...]) -> dict[str, float]:
    places = []
    for question in questions:
        urls = list(dict.fromkeys(hit.url for hit in search(question.text, limit=30, arms=arms)))[:10]
        places.append(urls.index(question.url) + 1 if question.url in urls else 0)
    count = len(places)
    return {
        "recall": sum(0 < place <= 5 for place in places) / count,
        "mrr": sum(1 / place for place in places if place) / count,
        "ndcg": sum(1 / math.log2(place + 1) for place in places if place) / count,
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
    """Time the one statement inside the database over that many passages, copies of the real ones turned a little."""
    multiply_passages(passages)
    # The quickest of three: what the statement takes, not what else the machine does meanwhile.
    times = [min(_execution_ms(question.text) for _ in range(3)) for question in questions[:100]]
    return [row(f"hybrid retrieval over {passages:,} passages, p95", quantiles(times, n=20)[18], "<=", 20, "ms")]


def multiply_passages(count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        missing = count - Passage.objects.count()
        cursor.execute("DROP INDEX IF EXISTS passage_embedding_256")
        # Each copy is moved a little, so that it is a point of its own.
        cursor.execute(
            """
            WITH originals AS (SELECT * FROM knowledge_passage WHERE start < 1000000),
            copies AS (
                SELECT max(start) / 1000000 AS made,
                    ceil(%(missing)s::float8 / (SELECT count(*) FROM originals))::int AS n
                FROM knowledge_passage
            )
            INSERT INTO knowledge_passage
                (content_id, agent_id, start, "end", text, heading, embedding, embedding_model, embedding_dimensions)
            SELECT content_id, agent_id, start + 1000000 * copy, "end" + 1000000 * copy, text, heading,
                l2_normalize((embedding::halfvec(256)::vector + noise.vector)::halfvec(256)),
                embedding_model, embedding_dimensions
            FROM originals, copies, generate_series(made + 1, made + n) copy, LATERAL (
                SELECT array_agg((random() - 0.5) * 0.06)::vector FROM generate_series(1, 256) WHERE copy > 0
            ) noise(vector)
            LIMIT %(missing)s
            """,
            {"missing": max(missing, 0)},
        )
        cursor.execute(
            "CREATE INDEX passage_embedding_256 ON knowledge_passage USING hnsw"
            " ((embedding::halfvec(256)) halfvec_cosine_ops) WITH (m = 8, ef_construction = 40)"
            " WHERE embedding_dimensions = 256"
        )
        cursor.execute("VACUUM ANALYZE knowledge_passage")
    refresh_lexemes()


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


def measure(path: Path, figures: Sequence[str] = ()) -> list[Row]:
    """Measure the figures that are named, or all but the large one; rows as `benchmarks/results.json` has them."""
    questions, articles = questions_and_articles(articles_in(path))
    rows = ingest_rate(articles)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE knowledge_passage")
    refresh_lexemes()
    work: dict[str, Callable[[], list[Row]]] = {
        "quality": lambda: quality(questions),
        "citations": lambda: citation_precision(questions),
        "ledger": ledger_rate,
        "10k": lambda: speed(questions, 10_000),
        "100k": lambda: speed(questions, 100_000),
        "1m": lambda: speed(questions, 1_000_000),
    }
    for name in figures or ("quality", "citations", "ledger", "100k"):
        rows += work[name]()
    return rows


def rows(options: Options) -> list[Row]:
    """Measure everything on the articles of the options, a million passages only on request."""
    assert options.articles is not None
    sizes = ("10k", "100k", "1m") if options.is_all else ("10k", "100k")
    make_anew()
    found = measure(options.articles, ("quality", "citations", "ledger", *sizes))
    speeds = [row for row in found if row["name"].startswith("hybrid retrieval over")]
    growth = speeds[-1]["value"] / speeds[0]["value"]
    with CaptureQueriesContext(connection) as queries:
        search("herons at dawn")
    found.append(row("statements of a search", len(queries), "<=", 1, "statements"))
    return [*found, row(f"the same, {sizes[-1]} passages vs {sizes[0]}", growth, "<=", 2.0, "x")]


def make_anew() -> None:
    databases.administer(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    databases.use(databases.prepared(DATABASE))


def main() -> None:
    path, *figures = sys.argv[1:]
    make_anew()
    for figure in measure(Path(path), figures):
        print(f"{figure['name']:60} {figure['value']:>12} {figure['op']} {figure['goal']} {figure['unit']}", flush=True)


if __name__ == "__main__":
    main()
