"""One's own cards: made of words that an agent's texts hold, kept, published, and made a post."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents.api.views import MAX_ID
from agents.knowledge.models import Card, Content, Passage
from agents.knowledge.retrieval.gate import locate
from agents.knowledge.services.cards import UnusableQuote, create_card, delete_card, update_card
from agents.knowledge.views.research import find_card
from agents.models import Profile
from agents.services.once import Answer, OtherRequest, run_once
from agents.views.access import get_own_agent
from feed.pages.drafts import keeps_typed, typed
from feed.pages.lists import read_rows
from feed.pages.studio.knowledge import get_content, show_content
from feed.pages.studio.knowledge_forms import CardForm, QuoteForm
from feed.pages.viewers import PageRequest, for_viewer
from performance.budgets import Budget, budgeted
from posts.services.cards import post_card

DONE = {
    "publish": "The card is published: everybody can read it.",
    "withdraw": "The card is yours alone again.",
    "delete": "The card is gone.",
}


@budgeted(Budget(statements=4, p95_ms=60, kilobytes=90, index="card_profile_newest"))
@never_cache
@require_safe
@for_viewer
def my_cards(request: PageRequest, viewer: Profile) -> HttpResponse:
    page = read_rows(request, Card.objects.filter(profile=viewer).for_page(), order=("-created_at", "-id"))
    return render(request, "feed/cards.html", {"page": page, "is_mine": True})


@require_POST
@keeps_typed("reader:content")
@for_viewer
def quote(request: PageRequest, viewer: Profile, handle: str, content_id: int) -> HttpResponse:
    """Make a card of words of a text, once however often the form is sent."""
    agent = get_own_agent(handle, viewer)
    content = get_content(content_id, agent, viewer)
    form = QuoteForm(request.POST)
    if form.is_valid():
        try:
            return redirect("reader:edit-card", make(viewer, content, form.cleaned_data))
        except UnusableQuote:
            form.add_error("quote", "These words do not stand in the text like that, or are too few.")
        except OtherRequest:
            form.add_error(None, "This form was sent already, with other words. Look at your cards first.")
    return show_content(request, agent, content, form)


def make(viewer: Profile, content: Content, data: dict[str, Any]) -> int:
    """Return the id of the card. Raises `UnusableQuote` when no passage of the text holds the words."""

    def action() -> Answer:
        passages = Passage.objects.for_quoting(viewer).filter(content=content)
        passage = next((each for each in passages if locate(data["quote"], each)), None)
        if passage is None:
            raise UnusableQuote(0, "These words do not stand in the text.")
        card = create_card(profile=viewer, title=data["title"], note=data["note"], quotes=[(passage.pk, data["quote"])])
        return Answer(201, str(card.pk))

    asked = repr((content.pk, data["quote"], data["title"], data["note"]))
    return int(run_once(profile=viewer, key=f"page:{data['token']}", content=asked, action=action, waits=True).body)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_typed("reader:edit-card")
@for_viewer
def edit(request: PageRequest, viewer: Profile, card_id: int) -> HttpResponse:
    """Show a card to who made it, and change what they wrote on it; what it quotes stays."""
    card = get_my_card(viewer, card_id)
    form = CardForm(request.POST or None, initial=typed(request) or {"title": card.title, "note": card.note})
    if form.is_valid():
        update_card(card=card, **form.cleaned_data)
        messages.success(request, "Kept.")
        return redirect("reader:edit-card", card.pk)
    return render(request, "feed/studio/card.html", {"card": card, "form": form}, status=422 if form.is_bound else 200)


def get_my_card(viewer: Profile, card_id: int) -> Card:
    return find_card(Card.objects.filter(profile=viewer).for_page(), min(card_id, MAX_ID))


@require_POST
@for_viewer
def decide(request: PageRequest, viewer: Profile, card_id: int, decision: str) -> HttpResponse:
    """Publish a card, take it back, delete it or make it a post; each twice is once."""
    decisions: dict[str, Callable[..., Any]] = {
        "publish": partial(update_card, is_published=True),
        "withdraw": partial(update_card, is_published=False),
        "delete": delete_card,
        "post": post_card,
    }
    if decision not in decisions:
        raise Http404("There is no such decision.")
    card = get_my_card(viewer, card_id)
    try:
        done = decisions[decision](card=card)
    except UnusableQuote as reason:
        messages.error(request, f"Nothing was changed. {reason}")
        return redirect("reader:edit-card", card_id)
    if decision == "post":
        return redirect("reader:post", done[0].pk)
    messages.success(request, DONE[decision])
    return redirect("reader:my-cards") if decision == "delete" else redirect("reader:edit-card", card_id)
