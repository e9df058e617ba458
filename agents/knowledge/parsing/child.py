"""The parser process: reads documents on stdin, writes what is in them as JSON on stdout.

Run as a script, away from Django and from the database, by `agents.knowledge.parsing.bounded`. Everything is loaded
once; each document is then parsed by a fork, which has limits of its own, has given up the right to open files, and
ends with the document, and with whatever the document did to it.
"""

import json
import os
import re
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import charset_normalizer
import feedparser
from lxml import etree, html

MAX_ENTRIES = 2000
# fmt: off
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table",
    "td", "th", "tr", "ul",
})
# fmt: on
HIDDEN = frozenset(["script", "style", "template", "noscript", "svg", "head", "iframe", "object"])
_DECLARED = re.compile(
    rb"""\A\s*<\?xml[^>]{0,200}?encoding=["']([A-Za-z0-9._-]{1,40})["']"""
    rb"""|<meta[^>]{0,200}?charset=["']?([A-Za-z0-9._-]{1,40})"""
)
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,200}\?>")
# XML allows no other control characters, and one of them makes the strict parser give up the whole feed.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


# Parsed first, so that whatever is loaded late is loaded before the process is sealed.
WARM_UP_FEEDS = ("<rss><channel><item><title>a</title></item></channel></rss>", "<rss>&")
WARM_UP_PAGES = (
    "<html lang=en><head><title>a</title><meta name=date content=2024-01-01></head><body><article>"
    + "<p>Some words of a first paragraph, which is long enough.</p>" * 5
    + "<table><tr><td>a</td></tr></table></article><time>January 2, 2024</time></body></html>",
)


def decode(document: bytes) -> tuple[str, str]:
    """Return the text of a document and what had to be guessed about its charset ("" for nothing)."""
    declared = _DECLARED.search(document, 0, 4096)
    boms = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    names = [name for bom, name in boms.items() if document.startswith(bom)]
    names += [(declared[1] or declared[2]).decode("ascii")] if declared else []
    for name in [*names, "utf-8"]:
        try:
            return document.decode(name), ""
        except (LookupError, UnicodeDecodeError):
            continue
    guess = charset_normalizer.from_bytes(document[:100_000]).best()
    name = guess.encoding if guess else "cp1252"
    return document.decode(name, "replace"), f"charset guessed: {name}"


def text_of_html(markup: str) -> str:
    """Return the words of an HTML fragment, a blank line between blocks."""
    try:
        root = html.fragment_fromstring(markup, create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return ""
    parts: list[str] = []
    hidden = 0
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in ("comment", "pi"):
            parts.append(element.tail or "" if not hidden else "")
            continue
        tag = str(element.tag)
        if event == "start":
            hidden += tag in HIDDEN
            words = element.text
        else:
            hidden -= tag in HIDDEN
            words = element.tail if element is not root else ""
        parts.append("\n\n" if tag in BLOCKS else "")
        parts.append(words if words and not hidden else "")
    paragraphs = (" ".join(block.split()) for block in "".join(parts).split("\n\n"))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _published(entry: Any) -> list[int] | None:
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    return list(moment[:6]) if moment else None


def _entry(entry: Any, base: str) -> dict[str, Any]:
    bodies = [part.get("value", "") for part in entry.get("content", ())] + [entry.get("summary", "")]
    texts = (text_of_html(body) for body in bodies)
    url = urljoin(base, entry.get("link", ""))
    return {
        "title": text_of_html(entry.get("title", "")),
        "url": url if urlsplit(url).scheme in ("http", "https") else "",
        "text": max(texts, key=len, default=""),
        "author": text_of_html(entry.get("author", "")),
        "published": _published(entry),
    }


def parse_feed(text: str, base_url: str = "") -> dict[str, Any]:
    """Return title, language, problem and entries of an RSS or Atom document."""
    text = _DECLARATION.sub("", _CONTROLS.sub("", text), count=1)
    parsed = feedparser.parse(
        text.encode(),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    base = urljoin(base_url, parsed.feed.get("link", ""))
    entries = [_entry(entry, base) for entry in parsed.entries[:MAX_ENTRIES]]
    # An address that several entries share is not the address of any of them.
    seen = Counter(entry["url"] for entry in entries)
    for entry in entries:
        entry["url"] = entry["url"] if seen[entry["url"]] == 1 else ""
    return {
        "title": text_of_html(parsed.feed.get("title", "")),
        "language": parsed.feed.get("language", ""),
        "version": parsed.version,
        "problem": str(parsed.get("bozo_exception", "")) if parsed.bozo else "",
        "entries": entries,
    }


def parse_page(text: str, base_url: str = "") -> dict[str, Any]:
    """Return title, author, date, language, canonical address and words of an HTML page."""
    # Here, because it takes longer to load than a feed takes to parse.
    import trafilatura

    # Fast: its second opinions read word lists while they parse.
    page: Any = trafilatura.bare_extraction(text, fast=True, include_comments=False, with_metadata=True)
    known = page.as_dict() if page is not None else {}
    canonical = re.search(r"""<link[^>]{0,300}rel=["']?canonical["']?[^>]{0,300}>""", text, re.IGNORECASE)
    address = re.search(r"""href=["']?([^"'\s>]{1,2000})""", canonical[0], re.IGNORECASE) if canonical else None
    return {
        "title": known.get("title") or "",
        "text": known.get("text") or "",
        "author": known.get("author") or "",
        "published": known.get("date") or "",
        "language": known.get("language") or "",
        "canonical": address[1] if address else "",
        "problem": "" if known.get("text") else "no article text was found",
    }


def confine(*, memory_bytes: int) -> None:
    """Bound this process for good: its memory, and no file to write."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def seal() -> None:
    """Give up opening files and sockets: what is parsed from here on can name any file it likes."""
    # Not closed: the next file that is opened would take its place.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def answer(parse: Callable[[str, str], dict[str, Any]], document: bytes, base_url: str) -> dict[str, Any]:
    """Parse one document within the limits that are set."""
    try:
        text, guessed = decode(document)
        seal()
        found = parse(text, base_url)
        return found | {"problem": "; ".join(filter(None, (found["problem"], guessed)))}
    except Exception as error:
        return {"gave_up": f"{type(error).__name__}: {error}"[:200]}


def write(message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    sys.stdout.buffer.write(len(body).to_bytes(8) + body)
    sys.stdout.buffer.flush()


def main() -> None:
    kind, memory_bytes, cpu_seconds, wall_seconds, idle_seconds = sys.argv[1], *map(float, sys.argv[2:])
    confine(memory_bytes=int(memory_bytes))
    parse, warm_ups = {"feed": (parse_feed, WARM_UP_FEEDS), "page": (parse_page, WARM_UP_PAGES)}[kind]
    for warm_up in warm_ups:
        parse(warm_up)
    while True:
        # Nobody asks any more: the default action of the signal ends the process.
        signal.setitimer(signal.ITIMER_REAL, idle_seconds)
        if not (header := sys.stdin.buffer.readline()):
            return
        request = json.loads(header)
        document = sys.stdin.buffer.read(request["size"])
        signal.setitimer(signal.ITIMER_REAL, 0)
        if not (fork := os.fork()):
            # Their default action ends the fork, even inside C code.
            signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
            signal.setitimer(signal.ITIMER_REAL, wall_seconds)
            message = answer(parse, document, request["base_url"])
            # Not while it writes: half an answer would be taken for the beginning of one.
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            write(message)
            os._exit(0)
        _, status = os.waitpid(fork, 0)
        if status:
            limits: dict[int, str] = {
                signal.SIGPROF: f"{cpu_seconds:g} s of processor time",
                signal.SIGALRM: f"{wall_seconds:g} s",
            }
            limit = limits.get(os.WTERMSIG(status))
            write({"gave_up": f"not within {limit}" if limit else f"ended with status {status}"})


if __name__ == "__main__":
    main()
