"""The gate: a quote that does not stand in the source is no quote, whoever says so."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.knowledge.models import Passage
from agents.knowledge.retrieval.compose import Claim
from agents.models import Profile

# Shorter ones stand in any text.
MIN_QUOTE_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Citation:
    """Words that stand at `content.text[start:end]`."""

    passage: Passage
    start: int
    end: int
    quote: str


def checked(claims: Sequence[Claim], *, viewer: Profile, allowed: set[int]) -> list[tuple[Claim, Citation]]:
    """Return the claims whose quote stands in a passage of `allowed` that the viewer may see, as it is stored now.

    Reads the stored text anew: what the composer was given counts for nothing.
    """
    wanted = {claim.passage_id for claim in claims} & allowed
    passages = Passage.objects.for_quoting(viewer).in_bulk(wanted)
    found = ((claim, locate(claim.quote, passages.get(claim.passage_id))) for claim in claims if claim.text.strip())
    return [(claim, citation) for claim, citation in found if citation]


def locate(quote: str, passage: Passage | None) -> Citation | None:
    """Find a quote within a passage and in the content's text; None if it does not stand in both."""
    quote = quote.strip()
    if passage is None or len(quote) < MIN_QUOTE_LENGTH:
        return None
    offset = passage.text.find(quote)
    start = passage.start + offset
    end = start + len(quote)
    if offset < 0 or passage.content.text[start:end] != quote:
        return None
    return Citation(passage, start, end, quote)
