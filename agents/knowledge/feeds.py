"""Contents from the entries of RSS and Atom documents."""

from agents.importing.report import Report
from agents.knowledge.models import Content
from agents.knowledge.parsing.bounded import UnparsableDocument
from agents.knowledge.parsing.feeds import Entry, read_feed
from agents.knowledge.services.contents import draft_content, revise_content, save_authors, save_contents
from agents.models import Agent

FEEDS, ENTRIES = "feeds", "feed entries"


def import_feed(document: bytes, *, where: str, report: Report, agent: Agent | None = None, base_url: str = "") -> None:
    """Store and index the entries of a feed that are not there yet, and revise those that say more now."""
    try:
        feed = read_feed(document, base_url=base_url)
    except UnparsableDocument as reason:
        report.skip(FEEDS, str(reason), where)
        return
    report.read += 1
    if not feed.entries:
        report.skip(FEEDS, "; ".join(filter(None, ("no entries", feed.problem))), where)
    elif feed.problem:
        report.note(FEEDS, feed.problem, where)
    drafts = _drafts(feed.entries, where=where, report=report, language=feed.language)
    known = Content.objects.with_fingerprints(bytes(draft.fingerprint) for draft in drafts).filter(agent=agent)
    before = {bytes(content.fingerprint): content for content in known.only("fingerprint", "title", "text")}
    new = save_contents(drafts=drafts, agent=agent)
    report.created(ENTRIES, new)
    report.unchanged(ENTRIES, len(drafts) - new)
    for draft in drafts:
        content = before.get(bytes(draft.fingerprint))
        # Two feeds may carry one address, one in full and one in brief: a shorter text never replaces a longer
        # one, or the two would replace each other for ever.
        if content and len(draft.text) > len(content.text):
            revise_content(content=content, title=draft.title, text=draft.text)


def _drafts(entries: list[Entry], *, where: str, report: Report, language: str) -> list[Content]:
    authors = save_authors(platform="feed", names=[entry.author for entry in entries if entry.text.strip()])
    drafts = []
    for number, entry in enumerate(entries, start=1):
        try:
            draft = draft_content(
                platform="feed",
                title=entry.title,
                text=entry.text,
                url=entry.url,
                language=language,
                author=authors.get(entry.author),
                published_at=entry.published_at,
            )
        except ValueError:
            report.skip(ENTRIES, "no text", f"{where}, entry {number}")
        else:
            drafts.append(draft)
    return drafts
