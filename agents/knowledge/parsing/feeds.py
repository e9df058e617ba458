from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agents.knowledge.parsing.bounded import parse


@dataclass(frozen=True, slots=True)
class Entry:
    title: str
    text: str
    url: str
    author: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Feed:
    title: str
    language: str
    # What is wrong with the document although something could be read; empty for nothing.
    problem: str
    entries: list[Entry]


def read_feed(document: bytes, *, base_url: str = "") -> Feed:
    """Read an RSS or Atom document.

    Raises `UnparsableDocument` when it cannot be parsed within its limits or is no feed at all.
    """
    answer = parse("feed", document, base_url=base_url)
    problem = answer["problem"]
    if not answer["version"]:
        problem = "; ".join(filter(None, ("not an RSS or Atom document", problem)))
    return Feed(
        title=answer["title"],
        language=answer["language"] or "",
        problem=problem,
        entries=list(_entries(answer["entries"])),
    )


def _entries(rows: list[dict[str, Any]]) -> Iterator[Entry]:
    for row in rows:
        yield Entry(row["title"], row["text"], row["url"], row["author"], _moment(row["published"]))


def _moment(parts: list[int] | None) -> datetime | None:
    try:
        return datetime(*parts, tzinfo=UTC) if parts else None  # type: ignore[arg-type, misc]
    except (ValueError, OverflowError):
        return None
