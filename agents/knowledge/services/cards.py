from collections.abc import Iterable

from django.db import transaction
from django.db.models.functions import Now

from agents.knowledge.models import Attribution, Card, Passage
from agents.knowledge.retrieval.gate import Citation, locate
from agents.knowledge.services.research import attribution_of
from agents.models import Profile


class UnusableQuote(Exception):
    """A quote does not stand in its passage, or may not be shown; `index` says which."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index


@transaction.atomic
def create_card(
    *, profile: Profile, title: str, note: str = "", quotes: Iterable[tuple[int, str]] = (), is_published: bool = False
) -> Card:
    """Create a card from (passage id, quoted words) pairs. Raises `UnusableQuote`.

    The card keeps the words as they were quoted, whatever becomes of the content.
    """
    wanted = list(quotes)
    passages = Passage.objects.for_quoting(profile).in_bulk({passage_id for passage_id, _ in wanted})
    citations: list[Citation] = []
    for index, (passage_id, quote) in enumerate(wanted):
        passage = passages.get(passage_id)
        if passage is None:
            raise UnusableQuote(index, "There is no such passage.")
        if is_published and passage.agent_id is not None:
            raise UnusableQuote(index, "What only one agent knows cannot be quoted in public.")
        citation = locate(quote, passage)
        if citation is None:
            raise UnusableQuote(index, "These words do not stand in the passage.")
        citations.append(citation)
    card = Card.objects.create(profile=profile, title=title, note=note, published_at=Now() if is_published else None)
    Attribution.objects.bulk_create(attribution_of(citation, profile=profile, card=card) for citation in citations)
    return card
