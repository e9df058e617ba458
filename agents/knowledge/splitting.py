import re
from collections.abc import Iterator

TARGET_LENGTH = 700
MAX_LENGTH = 1100

_SENTENCE_END = re.compile(r"[.!?…。！？]['\"”’)\]]*\s+|\n+|(?<=[。！？])")


def spans_of(text: str) -> list[tuple[int, int]]:
    """Split a text into passages: whole paragraphs up to a target length, long ones at sentences.

    Returns (start, end) pairs in reading order that do not overlap; all but white space is covered.
    """
    spans: list[tuple[int, int]] = []
    for start, end in _pieces(text):
        if spans and end - spans[-1][0] <= TARGET_LENGTH:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def sentence_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of the sentences within `text[start:end]`, without the white space around them."""
    at = start
    for match in _SENTENCE_END.finditer(text, start, end):
        yield from _trimmed(text, at, match.end())
        at = match.end()
    yield from _trimmed(text, at, end)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    for start, end in _paragraphs(text):
        if end - start <= MAX_LENGTH:
            yield start, end
        else:
            yield from _cut(text, start, end)


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    for gap in re.finditer(r"\n[^\S\n]*\n\s*", text):
        yield from _trimmed(text, at, gap.start())
        at = gap.end()
    yield from _trimmed(text, at, len(text))


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a long paragraph at sentences, a long sentence at words, a long word anywhere."""
    at, last = start, start
    for _, sentence_end in sentence_spans(text, start, end):
        if sentence_end - at > TARGET_LENGTH and last > at:
            yield from _trimmed(text, at, last)
            at = last
        while sentence_end - at > MAX_LENGTH:
            space = text.rfind(" ", at + TARGET_LENGTH, at + MAX_LENGTH)
            cut = space if space > 0 else at + MAX_LENGTH
            yield from _trimmed(text, at, cut)
            at = cut
        last = sentence_end
    yield from _trimmed(text, at, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    words = text[start:end]
    left = len(words) - len(words.lstrip())
    right = len(words.rstrip())
    if left < right:
        yield start + left, start + right
