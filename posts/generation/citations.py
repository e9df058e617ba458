"""Which words of its sources a generated text quotes. Found in the text as it stands, so that none is invented."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agents.knowledge.quotes import address_of
from posts.generation.extracts import paragraphs, plain, sentences
from posts.generation.models import RunStep

MIN_QUOTE_LENGTH = 12


def citations_of(passages: Iterable[dict[str, Any]], *, body: str) -> list[dict[str, Any]]:
    """Return what a text quotes of the passages it was written from, each with the address of the quoted words.

    Sentences that follow each other in text and source are one quotation.
    """
    said = plain(body.replace("\n>", "\n"))
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for passage in passages:
        for start, end in _spans(passage["text"], said):
            place = {"start": passage["start"] + start, "end": passage["start"] + end}
            quote = passage["text"][start:end]
            found.setdefault(
                (passage["content_id"], place["start"]),
                {
                    "content": passage["content_id"],
                    **place,
                    "quote": quote,
                    "title": passage["title"],
                    "url": passage["url"],
                    "is_own": passage["is_own"],
                    "link": address_of(content_id=passage["content_id"], quote=quote, **place),
                },
            )
    return list(found.values())


def passages_of(steps: Mapping[str, RunStep]) -> list[dict[str, Any]]:
    """Return the passages that a run was given to write from."""
    outputs = (steps[name].output or {} for name in ("research", "fetch_topic") if name in steps)
    return next((found for output in outputs if (found := output.get("passages"))), [])


def citations_in(*, post_id: int, body: str) -> list[dict[str, Any]]:
    """Return what a generated post quotes; one statement."""
    steps = {step.name: step for step in RunStep.objects.for_citations(post_id)}
    return citations_of(passages_of(steps), body=body)


def _spans(text: str, said: str) -> Iterator[tuple[int, int]]:
    for paragraph in paragraphs(text):
        raw = text[paragraph.start : paragraph.end]
        first: tuple[int, int, str] | None = None
        for sentence in sentences(raw):
            start, end = paragraph.start + sentence.start, paragraph.start + sentence.end
            joined = f"{first[2]} {sentence.text}" if first else ""
            if first and joined in said:
                first = (first[0], end, joined)
                continue
            if first:
                yield first[:2]
            is_quoted = len(sentence.text) >= MIN_QUOTE_LENGTH and sentence.text in said
            first = (start, end, sentence.text) if is_quoted else None
        if first:
            yield first[:2]
