"""Taking in whatever is named: files of articles, feeds, pages and texts, or addresses of them."""

import gzip
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from agents.importing.records import GZIP_MAGIC, READ_ERRORS, read_records
from agents.importing.report import Report
from agents.knowledge.articles import ARTICLES, pieces_of_articles
from agents.knowledge.beside import Piece
from agents.knowledge.feeds import import_feed
from agents.knowledge.fetching import FetchFailed, ForbiddenAddress
from agents.knowledge.fetching.polite import fetch_politely
from agents.knowledge.models import Content
from agents.knowledge.parsing.bounded import MAX_DOCUMENT_BYTES, UnparsableDocument
from agents.knowledge.parsing.markdown import text_of_markdown
from agents.knowledge.parsing.pages import read_page
from agents.knowledge.services.contents import draft_content, save_author, save_contents
from agents.models import Agent

# Enough to tell a feed from a page from a text: file names and servers call them all kinds of things.
FIRST_BYTES = 4096
FEED_TAGS = (b"<rss", b"<feed", b"<rdf:rdf", b"<?xml")
DOCUMENTS = "documents"
# Shows that a file is begun, and returns what is told how many bytes of it are done.
type Start = Callable[[Path], Callable[[int], object]]


def is_address(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def pieces_of(name: str, *, report: Report, agent: Agent | None, start: Start) -> Generator[Piece]:
    """Yield the work of taking in a file or an address; what cannot be goes into the report with its reason."""
    if not is_address(name) and Path(name.removesuffix(".gz")).suffix == ".jsonl":
        records = read_records(Path(name), kind=ARTICLES, report=report, on_bytes=start(Path(name)))
        yield from pieces_of_articles(records, agent=agent)
    else:
        yield partial(ingest_document, name, agent=agent)


def ingest_feed(name: str, report: Report, *, agent: Agent | None = None) -> None:
    """Take in a file or an address that is said to be a feed."""
    with _reporting(name, report):
        document, url = _read(name)
        import_feed(document, where=_where(name), report=report, agent=agent, base_url=url)


def ingest_document(name: str, report: Report, *, agent: Agent | None = None) -> None:
    """Take in a feed, a page or a text: a file or an address."""
    with _reporting(name, report):
        document, url = _read(name)
        first = document[:FIRST_BYTES].lstrip().lower()
        if any(tag in first for tag in FEED_TAGS) and b"<html" not in first:
            import_feed(document, where=_where(name), report=report, agent=agent, base_url=url)
            return
        is_page = first.startswith(b"<")
        draft = _page(document, name, url) if is_page else _text(document, name, url)
        report.read += 1
        new = save_contents(drafts=[draft], agent=agent)
        report.created(DOCUMENTS, new)
        report.unchanged(DOCUMENTS, 1 - new)


@contextmanager
def _reporting(name: str, report: Report) -> Iterator[None]:
    try:
        yield
    except (FetchFailed, ForbiddenAddress, UnparsableDocument, ValueError) as reason:
        report.skip(DOCUMENTS, str(reason), _where(name))


def _where(name: str) -> str:
    return name if is_address(name) else Path(name).name


def _read(name: str) -> tuple[bytes, str]:
    """Return a document, and the address that it came from or ""."""
    if not is_address(name):
        return read_document(Path(name)), ""
    answer = fetch_politely(name)
    if answer.status != 200:
        raise FetchFailed(f"the host answered {answer.status}")
    return answer.body, answer.url


def _page(document: bytes, name: str, url: str) -> Content:
    page = read_page(document, url=url)
    return draft_content(
        platform="web",
        title=page.title or _where(name),
        text=page.text,
        url=page.url if url else "",
        author=save_author(platform="web", name=page.author),
        language=page.language,
        published_at=page.published_at,
    )


def _text(document: bytes, name: str, url: str) -> Content:
    text = text_of_markdown(document.decode("utf-8", "replace"))
    return draft_content(platform="text", title=Path(_where(name)).stem, text=text, url=url)


def read_document(path: Path) -> bytes:
    """Return a file's bytes, unpacked if it is gzipped.

    Raises `UnparsableDocument` for one that is too large, also when it is small only while packed.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.peek(2)[:2] == GZIP_MAGIC
            file: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
            document = file.read(MAX_DOCUMENT_BYTES + 1)
    except READ_ERRORS as error:
        raise UnparsableDocument(f"cannot be read: {error}") from error
    if len(document) > MAX_DOCUMENT_BYTES:
        raise UnparsableDocument(f"larger than {MAX_DOCUMENT_BYTES} bytes")
    return document
