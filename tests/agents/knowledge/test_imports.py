import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from agents.knowledge.imports import MAX_LINE_BYTES, ImportReport, import_articles, import_feed
from agents.knowledge.models import Content

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
    out = StringIO()
    call_command(command, *map(str, args), stdout=out, **options)
    return out.getvalue()


def test_an_article_becomes_a_content_of_plain_words(tmp_path: Path) -> None:
    report = ImportReport()
    import_articles(write_lines(tmp_path / "a.jsonl", ARTICLE), report=report)
    content = Content.objects.select_related("author").get()
    assert (report.created, report.unchanged, report.skipped) == (1, 0, [])
    assert content.text == "Lift\n\nA kite flies with lift().\n\nx = 1"
    assert (content.title, str(content.author), content.url) == ("How kites fly", "Ada", "https://example.org/kites")
    assert content.published_at is not None
    assert content.published_at.isoformat() == "2024-12-10T00:00:00+00:00"


def test_every_line_that_is_no_article_is_skipped_with_its_reason(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl",
        "{",
        "[1]",
        "[" * 100_000,
        {"title": "x", "body_markdown": ""},
        {"title": ["x"], "body_markdown": "y"},
        {"title": "x", "body_markdown": "y" * (MAX_LINE_BYTES + 1)},
        {"title": None, "published": "2024-99-99", "url": "javascript:alert(1)", "body_markdown": "a\0b", "authors": 7},
    )
    out = run("import_articles", path)
    assert "1 created, 0 unchanged, 6 skipped" in out
    reasons = ("a.jsonl:1: not JSON", "a.jsonl:2: not a JSON object", "a.jsonl:3: not JSON", "a.jsonl:4: no text",
               "a.jsonl:5: title is not a string", "a.jsonl:6: a line of more than")  # fmt: skip
    assert [reason for reason in reasons if reason not in out] == []
    content = Content.objects.get()
    assert (content.url, content.published_at) == ("", None)
    assert "\0" not in content.text


def test_a_damaged_archive_keeps_what_came_before_the_damage(tmp_path: Path) -> None:
    rows = "".join(json.dumps(ARTICLE | {"url": f"https://example.org/{n}"}) + "\n" for n in range(3000))
    packed = gzip.compress(rows.encode())
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    assert "the file cannot be read further" in run("import_articles", path)
    assert Content.objects.exists()


def test_feed_entries_become_contents_and_empty_ones_are_skipped() -> None:
    report = ImportReport()
    import_feed(FEED.encode(), where="birds", report=report)
    content = Content.objects.get()
    assert (content.title, content.url) == ("Wren & co", "https://example.org/wren")
    assert content.text == "Wrens sing.\n\nLoudly."
    assert report.skipped == [("birds, entry 2", "no text")]


def test_an_entry_that_says_more_is_a_new_version_and_a_shorter_one_is_not() -> None:
    def take_in(words: str) -> ImportReport:
        report = ImportReport()
        import_feed(FEED.replace("Loudly.", words).encode(), where="birds", report=report)
        return report

    take_in("Loudly.")
    assert (take_in("Loudly, at dawn.").created, take_in("Loudly.").unchanged) == (0, 1)
    content = Content.objects.get()
    assert (content.text, content.analyzed_at) == ("Wrens sing.\n\nLoudly, at dawn.", None)
    assert [version.text for version in content.revisions.all()] == ["Wrens sing.\n\nLoudly."]


def test_entries_that_share_an_address_are_told_apart_by_their_words() -> None:
    items = "".join(f"<item><link>https://e.org/</link><description>Text {n}</description></item>" for n in range(3))
    report = ImportReport()
    import_feed(f"<rss version='2.0'><channel>{items}</channel></rss>".encode(), where="f", report=report)
    assert report.created == 3


def test_a_file_that_is_not_there_is_one_clear_sentence() -> None:
    with pytest.raises(CommandError, match="is not a file"):
        run("import_feed", "/nowhere.xml")
    with pytest.raises(CommandError, match="There is no agent @nobody"):
        run("import_articles", __file__, agent="nobody")


def test_every_real_article_loads_twice_with_the_same_result(real_data: Path) -> None:
    path = real_data / "articles" / "articles.jsonl.gz"
    assert "1194 created, 0 unchanged, 0 skipped" in run("import_articles", path)
    assert "0 created, 1194 unchanged, 0 skipped" in run("import_articles", path)


def test_every_real_feed_loads_twice_with_the_same_result(real_data: Path) -> None:
    files = sorted((real_data / "feeds" / "raw").iterdir()) + sorted((real_data / "feeds" / "malformed").iterdir())
    first = run("import_feed", *files)
    stored = set(Content.objects.values_list("fingerprint", "text"))
    second = run("import_feed", *files)
    assert len(files) == 35
    assert first.splitlines()[0] == "611 created, 41 unchanged, 13 skipped"
    assert second.splitlines()[0] == "0 created, 652 unchanged, 13 skipped"
    assert set(Content.objects.values_list("fingerprint", "text")) == stored
    loaded = [line for line in first.splitlines() if "feedparser_" in line]
    # Three are broken only in what we do not read; each of the others has its reason.
    assert len({line.split()[1].rstrip(":,") for line in loaded}) == 19
