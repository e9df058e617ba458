import gzip
import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from agents.importing.records import MAX_RECORD_BYTES, read_records
from agents.importing.report import Report
from agents.knowledge import indexing
from agents.knowledge.articles import ARTICLES, save_articles
from agents.knowledge.embeddings import EmbeddingFailed
from agents.knowledge.feeds import ENTRIES, import_feed
from agents.knowledge.models import Content, Passage
from agents.knowledge.services import save_content

pytestmark = pytest.mark.django_db

ARTICLE = {
    "title": "How kites fly",
    "authors": ["Ada", "Bob"],
    "published": "2024-12-10",
    "url": "https://example.org/kites",
    "body_markdown": "<style>b {}</style>\n\n# Lift\n\nA **kite** [flies](https://e.org)"
    " with `lift()`.\n\n```\nx = 1\n```\n",
}
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Birds</title><link>https://example.org/</link>
<item><title>Wren &amp; co</title><link>/wren</link><pubDate>Mon, 29 Jun 2026 00:00:00 GMT</pubDate>
<description>&lt;p&gt;Wrens sing.&lt;/p&gt;
&lt;script&gt;steal()&lt;/script&gt;&lt;p&gt;Loudly.&lt;/p&gt;</description></item>
<item><title>Empty</title><link>/empty</link></item>
</channel></rss>"""


def write_lines(path: Path, *rows: object) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(lines) + "\n")
    return path


def run(command: str, *args: object, **options: object) -> str:
    """Run a command in this thread, and transaction; return what it says, each run of spaces as one."""
    out = StringIO()
    call_command(command, *map(str, args), stdout=out, workers=1, **options)
    return "\n".join(" ".join(line.split()) for line in out.getvalue().splitlines())


def outcomes(report: Report, kind: str) -> tuple[int, int, int]:
    created, unchanged, skipped = (report.outcomes[kind, outcome] for outcome in ("created", "unchanged", "skipped"))
    return created, unchanged, skipped


def test_an_article_becomes_a_content_of_plain_words_with_passages_and_vectors(tmp_path: Path) -> None:
    report = Report()
    save_articles(list(read_records(write_lines(tmp_path / "a.jsonl", ARTICLE), kind=ARTICLES, report=report)), report)
    content = Content.objects.select_related("author").get()
    assert outcomes(report, ARTICLES) == (1, 0, 0)
    assert content.text == "Lift\n\nA kite flies with lift().\n\nx = 1"
    assert (content.title, str(content.author), content.url) == ("How kites fly", "Ada", "https://example.org/kites")
    assert content.published_at is not None
    assert content.published_at.isoformat() == "2024-12-10T00:00:00+00:00"
    assert content.analyzed_at is not None
    assert (content.passages.get().heading, content.passages.get().embedding_dimensions) == ("How kites fly", 256)


def test_every_line_that_is_no_article_is_skipped_with_its_reason(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl",
        "{",
        "[1]",
        "[" * 100_000,
        {"title": "x", "body_markdown": ""},
        {"title": ["x"], "body_markdown": "y"},
        {"title": "x", "body_markdown": "y" * (MAX_RECORD_BYTES + 1)},
        {"title": None, "published": "2024-99-99", "url": "javascript:alert(1)", "body_markdown": "a\0b", "authors": 7},
    )
    out = run("import_articles", path)
    assert "articles 1 0 6" in out
    reasons = ("2 articles: not JSON (a.jsonl:1, a.jsonl:3)", "not a JSON object (a.jsonl:2)", "no text (a.jsonl:4)",
               "title is not a string (a.jsonl:5)", "longer than 16 MB (a.jsonl:6)",
               "Stored, but: 1 articles: published is not an ISO 8601 time (a.jsonl:7)")  # fmt: skip
    assert [reason for reason in reasons if reason not in out] == []
    content = Content.objects.get()
    assert (content.url, content.published_at) == ("", None)
    assert "\0" not in content.text


def test_a_damaged_archive_keeps_what_came_before_the_damage(tmp_path: Path) -> None:
    rows = "".join(json.dumps(ARTICLE | {"url": f"https://example.org/{n}"}) + "\n" for n in range(3000))
    packed = gzip.compress(rows.encode())
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 8])
    assert "the file is broken from here on" in run("import_articles", path)
    assert Content.objects.exists()


def test_articles_whose_model_does_not_answer_are_stored_and_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def embed(self, texts: list[str]) -> NoReturn:
            raise EmbeddingFailed("The endpoint is down.")

    path = write_lines(tmp_path / "a.jsonl", ARTICLE)
    with monkeypatch.context() as patch:
        patch.setattr(indexing, "current_embedder", Away)
        assert "articles 1 0 0" in run("import_articles", path)
    assert Content.objects.to_analyze().exists()
    assert not Passage.objects.exists()
    assert indexing.index_pending() == 1
    assert Passage.objects.exists()


def test_articles_that_somebody_else_stores_at_the_same_moment_are_stored_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = indexing.prepare

    def late(contents: Sequence[Content]) -> Any:
        monkeypatch.setattr(indexing, "prepare", prepare)
        save_content(platform="article", title="x", text="y", url="https://example.org/kites")
        return prepare(contents)

    monkeypatch.setattr(indexing, "prepare", late)
    path = write_lines(tmp_path / "a.jsonl", ARTICLE, ARTICLE | {"url": "https://example.org/other"})
    assert "articles 1 1 0" in run("import_articles", path)
    assert Content.objects.count() == 2


def test_feed_entries_become_contents_and_empty_ones_are_skipped() -> None:
    report = Report()
    import_feed(FEED.encode(), where="birds", report=report)
    content = Content.objects.get()
    assert (content.title, content.url) == ("Wren & co", "https://example.org/wren")
    assert content.text == "Wrens sing.\n\nLoudly."
    assert [finding.places for finding in report.skipped.values()] == [["birds, entry 2"]]


def test_an_entry_that_says_more_is_a_new_version_and_a_shorter_one_is_not() -> None:
    def take_in(words: str) -> tuple[int, int, int]:
        report = Report()
        import_feed(FEED.replace("Loudly.", words).encode(), where="birds", report=report)
        return outcomes(report, ENTRIES)

    take_in("Loudly.")
    assert (take_in("Loudly, at dawn."), take_in("Loudly.")) == ((0, 1, 1), (0, 1, 1))
    content = Content.objects.get()
    assert (content.text, content.analyzed_at) == ("Wrens sing.\n\nLoudly, at dawn.", None)
    assert [version.text for version in content.revisions.all()] == ["Wrens sing.\n\nLoudly."]


def test_entries_that_share_an_address_are_told_apart_by_their_words() -> None:
    items = "".join(f"<item><link>https://e.org/</link><description>Text {n}</description></item>" for n in range(3))
    report = Report()
    import_feed(f"<rss version='2.0'><channel>{items}</channel></rss>".encode(), where="f", report=report)
    assert outcomes(report, ENTRIES) == (3, 0, 0)


def test_a_file_that_is_not_there_is_one_clear_sentence() -> None:
    with pytest.raises(CommandError, match="neither a file nor"):
        run("import_feed", "/nowhere.xml")
    with pytest.raises(CommandError, match="There is no agent @nobody"):
        run("import_articles", __file__, agent="nobody")


def test_every_real_article_loads_twice_with_the_same_result(real_data: Path) -> None:
    path = real_data / "articles" / "articles.jsonl.gz"
    assert "articles 1,194 0 0" in run("import_articles", path)
    assert "articles 0 1,194 0" in run("import_articles", path)
    assert not Content.objects.to_analyze().exists()


def test_every_real_feed_loads_twice_with_the_same_result(real_data: Path) -> None:
    files = sorted((real_data / "feeds" / "raw").iterdir()) + sorted((real_data / "feeds" / "malformed").iterdir())
    first = run("import_feed", *files)
    stored = set(Content.objects.values_list("fingerprint", "text"))
    second = run("import_feed", *files)
    assert len(files) == 35
    assert "feed entries 611 41 7 feeds 0 0 6" in " ".join(first.split())
    assert "feed entries 0 652 7 feeds 0 0 6" in " ".join(second.split())
    assert set(Content.objects.values_list("fingerprint", "text")) == stored
    # Three are broken only in what we do not read; each of the others has its reason.
    named = {name for file in files if (name := file.name) in first}
    assert len([name for name in named if name.startswith("feedparser_")]) == 19
