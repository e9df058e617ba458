"""Taking in whatever is named: files of articles, feeds, pages and texts, or addresses of them."""

from pathlib import Path

from agents.knowledge.fetching import FetchFailed, ForbiddenAddress
from agents.knowledge.fetching.polite import fetch_politely
from agents.knowledge.imports import ImportReport, import_articles, import_feed, read_document
from agents.knowledge.parsing.bounded import UnparsableDocument
from agents.knowledge.parsing.markdown import text_of_markdown
from agents.knowledge.parsing.pages import read_page
from agents.knowledge.services.contents import save_author, save_content
from agents.models import Agent

# Enough to tell a feed from a page from a text: file names and servers call them all kinds of things.
FIRST_BYTES = 4096


def is_address(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def ingest(name: str, *, report: ImportReport, agent: Agent | None = None) -> None:
    """Take in a file or an address; what cannot be goes into the report with its reason."""
    try:
        if is_address(name):
            answer = fetch_politely(name)
            if answer.status != 200:
                raise FetchFailed(f"the host answered {answer.status}")
            _ingest_document(answer.body, where=name, url=answer.url, report=report, agent=agent)
        elif Path(name.removesuffix(".gz")).suffix == ".jsonl":
            import_articles(Path(name), report=report, agent=agent)
        else:
            _ingest_document(read_document(Path(name)), where=Path(name).name, url="", report=report, agent=agent)
    except (FetchFailed, ForbiddenAddress, UnparsableDocument, ValueError) as reason:
        report.skipped.append((name, str(reason)))


def _ingest_document(document: bytes, *, where: str, url: str, report: ImportReport, agent: Agent | None) -> None:
    first = document[:FIRST_BYTES].lstrip().lower()
    if any(tag in first for tag in (b"<rss", b"<feed", b"<rdf:rdf", b"<?xml")) and b"<html" not in first:
        import_feed(document, where=where, report=report, agent=agent, base_url=url)
    elif first.startswith(b"<"):
        page = read_page(document, url=url)
        author = save_author(platform="web", name=page.author)
        _, is_new = save_content(
            platform="web",
            title=page.title or where,
            text=page.text,
            url=page.url if url else "",
            agent=agent,
            author=author,
            language=page.language,
            published_at=page.published_at,
        )
        report.count(is_new)
    else:
        text = text_of_markdown(document.decode("utf-8", "replace"))
        _, is_new = save_content(platform="text", title=Path(where).stem, text=text, url=url, agent=agent)
        report.count(is_new)
