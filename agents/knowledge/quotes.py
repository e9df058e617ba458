"""Quotations and the addresses that lead a reader to them: the page of the content, with the quoted words marked.

An address holds the place of the words and the beginning of their hash, so that it finds them in the version of
the content that they were quoted from, and never marks others.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

if TYPE_CHECKING:
    from agents.knowledge.models import Content

HASH_LENGTH = 16
_PLACE = re.compile(rf"(\d{{1,9}})-(\d{{1,9}})-([0-9a-f]{{{HASH_LENGTH}}})")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text in three parts; the middle one is quoted, and is empty when the quoted words stand in no version."""

    title: str
    before: str
    quote: str = ""
    after: str = ""
    is_former: bool = False


def address_of(*, content_id: int, start: int, end: int, quote: str) -> str:
    """Return the address at which a reader finds the quoted words marked."""
    return f"{reverse('reader:source', args=[content_id])}?quote={start}-{end}-{_hash(quote)}#quote"


def mark(content: Content, place: str) -> Marked:
    """Split a content at the words that the `quote` of an address names; in a former version if they stand there."""
    match = _PLACE.fullmatch(place)
    if match is None:
        return Marked(content.title, content.text)
    start, end, expected = int(match[1]), int(match[2]), match[3]

    def split(title: str, text: str, *, is_former: bool) -> Marked | None:
        quote = text[start:end]
        if not quote or _hash(quote) != expected:
            return None
        return Marked(title, text[:start], quote, text[end:], is_former)

    found = split(content.title, content.text, is_former=False)
    if found is None:
        versions = content.revisions.order_by("-id").values_list("title", "text")
        found = next((marked for row in versions if (marked := split(*row, is_former=True))), None)
    return found or Marked(content.title, content.text)


def _hash(quote: str) -> str:
    return hashlib.sha256(quote.encode()).hexdigest()[:HASH_LENGTH]
