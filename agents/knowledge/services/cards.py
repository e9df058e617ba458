from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from agents.knowledge.models import Attribution, Card, Passage
from agents.knowledge.retrieval.gate import Citation, locate
from agents.knowledge.services.research import attribution_of
from agents.models import Profile
from performance.caches import withdraw


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
    citations = _citations(profile, list(quotes), is_published=is_published)
    card = Card.objects.create(profile=profile, title=title, note=note, published_at=Now() if is_published else None)
    Attribution.objects.bulk_create(attribution_of(citation, profile=profile, card=card) for citation in citations)
    return card


@transaction.atomic
def update_card(
    *, card: Card, title: str | None = None, note: str | None = None, is_published: bool | None = None
) -> Card:
    """Change what is given of a card; what it quotes stays as it was quoted.

    Raises `UnusableQuote` when it is to be published and quotes what only one agent knows. Publishing twice is
    publishing once.
    """
    card = Card.objects.select_for_update(no_key=True).get(pk=card.pk)
    if title is not None:
        card.title = title
    if note is not None:
        card.note = note
    if is_published is False:
        card.published_at = None
        withdraw()
    elif is_published and card.published_at is None:
        check_public(card)
        card.published_at = timezone.now()
    card.save(update_fields=["title", "note", "published_at"])
    return card


@transaction.atomic
def delete_card(*, card: Card) -> None:
    """Delete a card with its citations; nobody is shown it from here on. A post that it became stays."""
    card.delete()
    withdraw()


def check_public(card: Card) -> None:
    """Raise `UnusableQuote` when a card quotes what not everybody may read, or what is gone and may have been that."""
    agents = card.citations.order_by("id").values_list("content", "content__agent")
    for index, (content, agent) in enumerate(agents):
        if content is None or agent is not None:
            raise UnusableQuote(index, "What only one agent knows cannot be quoted in public.")


def _citations(profile: Profile, wanted: Sequence[tuple[int, str]], *, is_published: bool) -> list[Citation]:
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
    return citations
