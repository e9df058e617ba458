"""Sentences and paragraphs of texts from outside, with their character spans in the original."""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MIN_SENTENCE = 35

_STOPWORDS = (
    "a about after all also an and any are as at be because been but by can could did do does for from had has have"
    " how i if in into is it its just like may might more most my new no not now of on one only or other our out over"
    " post s so some such t than that the their them then there these they this those through to too under up us use"
    " using very was way we were what when where which while who why will with would you your"
)
STOPWORDS = frozenset(_STOPWORDS.split())
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9+#'-]*")
_PARAGRAPH = re.compile(r"\S[\s\S]*?(?=\n\s*\n|\Z)")
_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)(?<!\bDr\.)"
    r"[\"”’)]?\s+(?=[\"“‘(]?[A-Z0-9])"
)
_MARKUP = (
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),
    (re.compile(r"\[\^[^\]]*\]"), ""),
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\[([^\]]*)\]\[[^\]]*\]"), r"\1"),
    (re.compile(r"<!--[\s\S]*?(-->|\Z)"), ""),
    (re.compile(r"</?[A-Za-z][^>]*>"), ""),
    (re.compile(r"(\*\*|__|`)"), ""),
    (re.compile(r"(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)"), ""),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True)
class Span:
    """A stretch of an original text: `text` is cleaned of markup, the offsets are the original's."""

    start: int
    end: int
    text: str


def plain(text: str) -> str:
    """Return a text without Markdown, HTML and control characters, on one line."""
    text = html.unescape(text)
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return "".join(char for char in text if char.isprintable()).strip()


def stem(word: str) -> str:
    """Strip the commonest English endings: enough to match "caches" with "caching"."""
    word = word.lower().removesuffix("'s")
    for ending in ("ations", "ation", "ings", "ing", "ies", "ers", "ed", "es", "er", "ly", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def terms(text: str) -> list[str]:
    """Return the stems of the words that carry meaning."""
    words = (word.strip("'-") for word in _WORD.findall(text))
    return [stem(word) for word in words if len(word) > 1 and word.lower() not in STOPWORDS]


def paragraphs(text: str) -> Iterator[Span]:
    """Yield the paragraphs that are prose: no headings, lists, tables, quotes or code."""
    for match in _PARAGRAPH.finditer(text):
        raw = match.group()
        if not re.match(r"[#>|`~<{!\-+*=]|\d+[.)]\s|\[|    |\t", raw) and len(raw) >= MIN_SENTENCE:
            yield Span(match.start(), match.end(), plain(raw))


def sentences(text: str) -> Iterator[Span]:
    """Yield the sentences of one paragraph."""
    start = 0
    for end in [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]:
        raw = text[start:end]
        if raw.strip():
            left = start + len(raw) - len(raw.lstrip())
            yield Span(left, start + len(raw.rstrip()), plain(raw))
        start = end


def weigh(texts: Iterable[str], *, wanted: Counter[str]) -> list[float]:
    """Score each text by how much of what is wanted it covers, per root of its length."""
    scores = []
    for text in texts:
        found = terms(text)
        scores.append(sum(wanted[term] for term in set(found)) / max(len(found), 8) ** 0.5)
    return scores


def any_of(words: Iterable[str]) -> str:
    """Return the query, as people type it into a search box, for texts with any of these words."""
    return " or ".join(f'"{word}"' for word in (word.replace('"', " ").strip() for word in words) if word)
