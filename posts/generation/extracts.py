"""Sentences and paragraphs of texts from outside, with their character spans in the original."""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MIN_SENTENCE, MAX_SENTENCE = 35, 280
MIN_LONE_SENTENCE = 110

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
# What reads badly out of its place: code, templates, addresses, tables, pointers to other parts of the page.
_UNFIT = re.compile(
    r"https?:|www\.|\{\{|\{%|```|[|<>{}\\\[\]]|=>|::|\$\w|@\w|\S#|"
    r"\b(below|above|following|click|subscribe|sign up|this (post|article|blog|section|page|chapter|guide)|"
    r"read more|see also|figure \d|table \d|next week|last week|yesterday|today|here|recommend|"
    r"blog post|more details|more information|"
    r"I|I'm|I've|I’m|I’ve|my|me|gem|Gemfile)\b",
    re.IGNORECASE,
)
# Sentences that talk to a language model instead of to a reader.
_ADDRESSES_A_MODEL = re.compile(
    r"\b(ignore|disregard|forget|override)\b.{0,40}\b(instruction|prompt|rule|previous|above)|system prompt|"
    r"\b(api[ _-]?key|password|secret key|access token)\b|\byou are (now )?(an?|the) (ai|assistant|model|agent)\b|"
    r"\b(as an ai|language model)\b.{0,20}\byou\b",
    re.IGNORECASE,
)
_LEANS_ON_BEFORE = re.compile(
    r"^(This|That|These|Those|It|They|He|She|His|Her|Their|Its|But|And|So|Or|However|Also|Then|Thus|Therefore|"
    r"Instead|In particular|In fact|With (this|that|these|those)|Not only|Similarly|"
    r"Furthermore|Moreover|Additionally|Finally|Second|Third|Another|Such|Both|Again|Still|Yet|"
    r"Meanwhile|Otherwise|For example|For instance|In addition|As a result|Because of this|On the other hand)\b"
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


def reads_well(sentence: str) -> bool:
    """Whether a sentence is whole and can be read outside its page."""
    letters = sum(char.isalpha() or char == " " for char in sentence)
    return (
        MIN_SENTENCE <= len(sentence) <= MAX_SENTENCE
        and (sentence[0].isupper() or sentence[0] in '“"')
        and sentence.rstrip('"”’)')[-1:] in (".", "!", "?")
        and letters / len(sentence) > 0.86
        and len(sentence.split()) >= 7
        and sentence.count("(") == sentence.count(")")
        and sentence.count('"') % 2 == 0
        and sentence.count("“") == sentence.count("”")
        and not _UNFIT.search(sentence)
        and not _ADDRESSES_A_MODEL.search(sentence)
    )


def is_presentable(title: str) -> bool:
    """Whether a title from outside can be shown as it is: it names a text and does not talk to a machine."""
    return not _ADDRESSES_A_MODEL.search(title) and not re.search(r"https?:|[<>{}]", title)


def stands_alone(sentence: str) -> bool:
    """Whether a sentence needs nothing before it to be understood."""
    return not _LEANS_ON_BEFORE.match(sentence)


def quotable_runs(found: list[str], *, limit: int, is_own: bool) -> Iterator[tuple[int, int]]:
    """Yield the spans of sentences that can be used together: the first stands alone, all of them read well.

    Of what others wrote a short sentence alone is no quotation; of one's own knowledge it is a fact.
    """
    for start, sentence in enumerate(found):
        if not (reads_well(sentence) and stands_alone(sentence)):
            continue
        end = start + 1
        while end < len(found) and end - start < limit and reads_well(found[end]):
            end += 1
        is_enough = is_own or len(sentence) >= MIN_LONE_SENTENCE
        if end - start > 1 or (is_enough and not sentence.endswith("?")):
            yield start, end


def is_quotable(paragraph: str, *, is_own: bool) -> bool:
    """Whether something of a paragraph can be used."""
    return any(True for _ in quotable_runs([span.text for span in sentences(paragraph)], limit=2, is_own=is_own))


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
