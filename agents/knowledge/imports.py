"""Bringing files of other people's texts in: streaming, idempotent, with a reason for all that is left out."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.db import transaction
from django.utils.dateparse import parse_date, parse_datetime

from agents.knowledge.models import Content
from agents.knowledge.parsing.bounded import MAX_DOCUMENT_BYTES, UnparsableDocument
from agents.knowledge.parsing.feeds import Entry, read_feed
from agents.knowledge.parsing.markdown import text_of_markdown
from agents.knowledge.services.contents import (
    draft_content,
    revise_content,
    save_author,
    save_authors,
    save_content,
    save_drafts,
)
from agents.knowledge.text import clean
from agents.models import Agent

MAX_LINE_BYTES = 4 * 1024 * 1024
BATCH = 50


@dataclass
class ImportReport:
    created: int = 0
    unchanged: int = 0
    # Where, and why nothing was stored of it.
    skipped: list[tuple[str, str]] = field(default_factory=list)
    # Where, and what was wrong although something was stored.
    notes: list[tuple[str, str]] = field(default_factory=list)

    def count(self, is_new: bool) -> None:
        self.created += is_new
        self.unchanged += not is_new


class UnusableRow(ValueError):
    """A row that holds no article; the message says why."""


def open_bytes(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def import_articles(
    path: Path, *, report: ImportReport, agent: Agent | None = None, advance: Callable[[], None] = lambda: None
) -> None:
    """Store the articles of a JSON Lines file (`.gz` too) as contents; `advance` is called per line."""
    batch: list[tuple[str, dict[str, Any]]] = []
    for where, row in _rows(path, report):
        advance()
        batch.append((where, row))
        if len(batch) == BATCH:
            save_articles(batch, report, agent)
            batch = []
    save_articles(batch, report, agent)


def _rows(path: Path, report: ImportReport) -> Iterator[tuple[str, dict[str, Any]]]:
    number = 0
    try:
        with open_bytes(path) as lines:
            while line := lines.readline(MAX_LINE_BYTES):
                number += 1
                where = f"{path.name}:{number}"
                if not line.endswith(b"\n") and len(line) == MAX_LINE_BYTES:
                    report.skipped.append((where, f"a line of more than {MAX_LINE_BYTES} bytes"))
                    _skip_line(lines)
                elif line.strip():
                    yield from _row(where, line, report)
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        report.skipped.append((f"{path.name}:{number + 1}", f"the file cannot be read further: {error}"))


def _skip_line(lines: IO[bytes]) -> None:
    while (rest := lines.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass


def _row(where: str, line: bytes, report: ImportReport) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        report.skipped.append((where, f"not JSON: {error}"))
        return
    if isinstance(row, dict):
        yield where, row
    else:
        report.skipped.append((where, "not a JSON object"))


def save_articles(batch: Iterable[tuple[str, dict[str, Any]]], report: ImportReport, agent: Agent | None) -> None:
    """Store rows that hold an article each; `batch` says for each where it stands."""
    drafts: list[Content] = []
    names: list[str] = []
    for where, row in batch:
        try:
            drafts.append(_article(row))
            names.append(_first_name(row.get("authors") or [row.get("author") or ""]))
        except ValueError as reason:
            report.skipped.append((where, str(reason)))
    authors = save_authors(platform="article", names=names)
    for draft, name in zip(drafts, names, strict=True):
        draft.author = authors.get(name)
    new = save_drafts(drafts, agent=agent)
    report.created += new
    report.unchanged += len(drafts) - new


def _article(row: dict[str, Any]) -> Content:
    text = text_of_markdown(_string(row, "body_markdown")) or _string(row, "content_text")
    if not text.strip():
        raise UnusableRow("no text")
    return draft_content(
        platform="article",
        title=_string(row, "title"),
        text=text,
        url=_web_address(_string(row, "url") or _string(row, "link")),
        language=_string(row, "language"),
        published_at=_moment(_string(row, "published")),
    )


def _string(row: dict[str, Any], name: str) -> str:
    value = row.get(name) or ""
    if not isinstance(value, str):
        raise UnusableRow(f"{name} is not a string")
    return value


def _first_name(names: Any) -> str:
    first = names[0] if isinstance(names, list) and names else names
    return first if isinstance(first, str) else ""


def _web_address(url: str) -> str:
    return url if url.startswith(("http://", "https://")) else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
        day = parse_date(text[:10])
    except ValueError:
        return None
    if moment is None and day:
        moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def import_feed(
    document: bytes, *, where: str, report: ImportReport, agent: Agent | None = None, base_url: str = ""
) -> list[Entry]:
    """Store the entries of an RSS or Atom document as contents; return what it holds."""
    try:
        feed = read_feed(document, base_url=base_url)
    except UnparsableDocument as reason:
        report.skipped.append((where, str(reason)))
        return []
    if not feed.entries:
        report.skipped.append((where, "; ".join(filter(None, ("no entries", feed.problem)))))
    elif feed.problem:
        report.notes.append((where, feed.problem))
    _save_entries(feed.entries, where, report, agent, feed.language)
    return feed.entries


@transaction.atomic
def _save_entries(entries: list[Entry], where: str, report: ImportReport, agent: Agent | None, language: str) -> None:
    for number, entry in enumerate(entries, start=1):
        if not entry.text.strip():
            report.skipped.append((f"{where}, entry {number}", "no text"))
            continue
        content, is_new = save_content(
            platform="feed",
            title=entry.title,
            text=entry.text,
            url=entry.url,
            agent=agent,
            author=save_author(platform="feed", name=entry.author),
            language=language,
            published_at=entry.published_at,
        )
        report.count(is_new)
        if not is_new and _is_revision(entry, content):
            revise_content(content=content, title=entry.title, text=entry.text)


def _is_revision(entry: Entry, content: Content) -> bool:
    """Whether an entry says more than what is stored of it.

    Two feeds may carry one address, one in full and one in brief: a shorter text never replaces a longer one,
    or the two would replace each other for ever.
    """
    return len(clean(entry.text)) > len(content.text)


def read_document(path: Path) -> bytes:
    """Return a file's bytes, unpacked if its name ends in `.gz`.

    Raises `UnparsableDocument` for one that is too large, also when it is small only while packed.
    """
    try:
        with open_bytes(path) as file:
            document = file.read(MAX_DOCUMENT_BYTES + 1)
    except (OSError, EOFError) as error:
        raise UnparsableDocument(f"cannot be read: {error}") from error
    if len(document) > MAX_DOCUMENT_BYTES:
        raise UnparsableDocument(f"larger than {MAX_DOCUMENT_BYTES} bytes")
    return document
