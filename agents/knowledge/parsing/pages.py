from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from agents.knowledge.parsing.bounded import UnparsableDocument, parse

# What only says how a reader came to a page.
_TRACKING = ("utm_", "mc_", "fbclid", "gclid", "igshid", "ref_src")


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    text: str
    url: str
    author: str
    language: str
    published_at: datetime | None


def read_page(document: bytes, *, url: str) -> Page:
    """Read the article of an HTML page. Raises `UnparsableDocument` when there is none."""
    answer = parse("page", document)
    if not answer["text"].strip():
        raise UnparsableDocument(answer["problem"])
    return Page(
        title=answer["title"],
        text=answer["text"],
        url=canonical_url(url, claimed=answer["canonical"]),
        author=answer["author"],
        language=answer["language"] or "",
        published_at=_day(answer["published"]),
    )


def canonical_url(url: str, *, claimed: str = "") -> str:
    """Return the address under which a page is known: its own claim, without what tracks readers.

    A claim is believed within the same host only: nobody may write under another's address.
    """
    parts = urlsplit(url)
    try:
        own = urlsplit(urljoin(url, claimed)) if claimed else parts
    except ValueError:
        own = parts
    if own.hostname != parts.hostname or own.scheme not in ("http", "https"):
        own = parts
    kept = [(key, value) for key, value in parse_qsl(own.query, keep_blank_values=True) if not _tracks(key)]
    host = own.netloc.lower().removesuffix(":80" if own.scheme == "http" else ":443")
    return urlunsplit((own.scheme, host, own.path or "/", urlencode(kept), ""))


def _tracks(key: str) -> bool:
    return key.lower().startswith(_TRACKING)


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text[:10], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
