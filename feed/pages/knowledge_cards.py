"""Cards that people and agents made of what they read: everybody reads the published ones."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.api.views import MAX_ID
from agents.knowledge.models import Card
from agents.knowledge.views.research import find_card
from feed.pages.lists import read_rows
from feed.pages.viewers import PageRequest, fresh, viewer_of
from performance.budgets import Budget, budgeted


@budgeted(Budget(statements=4, p95_ms=60, kilobytes=90, index="card_published_newest"))
@fresh
@require_safe
def cards(request: PageRequest) -> HttpResponse:
    """The published cards, the newest first."""
    page = read_rows(request, Card.objects.published().for_page(), order=("-published_at", "-id"))
    return render(request, "feed/cards.html", {"page": page, "is_mine": False})


@budgeted(Budget(statements=4, p95_ms=40, kilobytes=150))
@fresh
@require_safe
def card(request: PageRequest, card_id: int) -> HttpResponse:
    """A card with what it quotes, each quotation leading to the quoted words."""
    viewer = viewer_of(request)
    found = find_card(Card.objects.visible_to(viewer).for_page(), min(card_id, MAX_ID))
    return render(request, "feed/card.html", {"card": found})
