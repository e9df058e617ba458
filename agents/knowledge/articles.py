"""Contents from records of Markdown articles."""

from collections.abc import Generator, Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import batched

from agents.importing.records import Record
from agents.importing.report import Report
from agents.importing.values import Unusable, moment_of, strings_of, text_of
from agents.knowledge.beside import Piece
from agents.knowledge.models import Content
from agents.knowledge.parsing.markdown import text_of_markdown
from agents.knowledge.services.contents import draft_content, save_authors, save_contents
from agents.models import Agent

ARTICLES = "articles"
# Articles per transaction, and at most how many are done again after a crash.
BATCH = 50


def pieces_of_articles(records: Iterable[Record], *, agent: Agent | None = None) -> Generator[Piece]:
    """Yield the work of storing articles, a batch at a time."""
    for batch in batched(records, BATCH):
        yield partial(save_articles, batch, agent=agent)


def save_articles(records: Sequence[Record], report: Report, *, agent: Agent | None = None) -> None:
    """Store and index those records that hold an article which is not there yet."""
    drafts: list[Content] = []
    names: list[str] = []
    for record in records:
        try:
            drafts.append(_draft(record, report))
            names.append(next(iter(strings_of(record.data.get("authors") or record.data.get("author"))), ""))
        except ValueError as reason:
            report.skip(ARTICLES, str(reason), record.place)
    authors = save_authors(platform="article", names=names)
    for draft, name in zip(drafts, names, strict=True):
        draft.author = authors.get(name)
    new = save_contents(drafts=drafts, agent=agent)
    report.created(ARTICLES, new)
    report.unchanged(ARTICLES, len(drafts) - new)


def _draft(record: Record, report: Report) -> Content:
    row = record.data
    text = text_of_markdown(text_of(row, "body_markdown")) or text_of(row, "content_text")
    if not text.strip():
        raise Unusable("no text")
    url = text_of(row, "url", "link")
    return draft_content(
        platform="article",
        title=text_of(row, "title"),
        text=text,
        url=url if url.startswith(("http://", "https://")) else "",
        language=text_of(row, "language"),
        published_at=_published_at(record, report),
    )


def _published_at(record: Record, report: Report) -> datetime | None:
    if not record.data.get("published"):
        return None
    try:
        return moment_of(record.data, "published")
    except Unusable as reason:
        report.note(ARTICLES, str(reason), record.place)
        return None
