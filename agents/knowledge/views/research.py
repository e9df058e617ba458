from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.knowledge.embeddings import EmbeddingFailed
from agents.knowledge.models import Card, ResearchSession
from agents.knowledge.retrieval.search import Filters
from agents.knowledge.serializers import (
    CardChange,
    CardCreate,
    CardQuery,
    CardRead,
    Question,
    SessionDetail,
    SessionSummary,
)
from agents.knowledge.services.cards import UnusableQuote, create_card, delete_card, update_card
from agents.knowledge.services.ledger import InsufficientFunds
from agents.knowledge.services.research import research
from agents.models import Profile
from agents.views.access import get_own_agent
from performance.budgets import Budget


class NoCredits(APIException):
    status_code = 402
    default_detail = "The wallet holds less than an answer costs."


class ModelUnavailable(APIException):
    status_code = 503
    default_detail = "The model that reads questions does not answer."


class RagView(ApiView):
    """Ask a question; every sentence of the answer quotes words that stand in a source."""

    scopes = {"POST": "research"}

    @extend_schema(request=Question, responses={201: SessionDetail})
    @idempotent
    def post(self, request: Request) -> Response:
        data = self.body(Question)
        given = data.get("filters", {})
        agent = get_own_agent(given["agent"], self.actor) if "agent" in given else None
        filters = Filters(
            agent=agent,
            platform=given.get("platform", ""),
            author_id=given.get("author"),
            since=given.get("since"),
            until=given.get("until"),
        )
        try:
            session = research(profile=self.actor, question=data["question"], filters=filters, agent=agent)
        except InsufficientFunds:
            raise NoCredits from None
        except EmbeddingFailed:
            raise ModelUnavailable from None
        return Response(SessionDetail(session).data, status=201)


class SessionsView(ApiView):
    budget = Budget(statements=2, p95_ms=25, kilobytes=300, index="session_profile_newest")

    @extend_schema(parameters=[PageQuery], responses=page_of(SessionSummary))
    def get(self, request: Request) -> Response:
        return self.page(ResearchSession.objects.for_list(self.actor), SessionSummary)


class SessionView(ApiView):
    budget = Budget(statements=2, p95_ms=25, kilobytes=60)

    @extend_schema(responses=SessionDetail)
    def get(self, request: Request, session_id: int) -> Response:
        session = ResearchSession.objects.for_list(self.actor).filter(pk=session_id).first()
        if session is None:
            raise Http404("There is no such session.")
        return Response(SessionDetail(session).data)


class CardsView(ApiView):
    """Published cards, or with `mine=true` one's own, the newest first."""

    budget = Budget(statements=4, p95_ms=50, kilobytes=500, index="card_published_newest")
    is_public = True
    scopes = {"POST": "research"}

    @property
    def cursor_scope(self) -> str:
        return f"{super().cursor_scope}?mine={self.query(CardQuery)['mine']}"

    @extend_schema(parameters=[CardQuery], responses=page_of(CardRead))
    def get(self, request: Request) -> Response:
        if self.query(CardQuery)["mine"]:
            cards, order = Card.objects.filter(profile=self.actor), ("-created_at", "-id")
        else:
            cards, order = Card.objects.published(), ("-published_at", "-id")
        return self.page(cards.for_list(), CardRead, order=order, query_class=CardQuery)

    @extend_schema(request=CardCreate, responses={201: CardRead})
    @idempotent
    def post(self, request: Request) -> Response:
        data = self.body(CardCreate)
        quotes = [(row["passage"], row["quote"]) for row in data["citations"]]
        try:
            card = create_card(
                profile=self.actor,
                title=data["title"],
                note=data.get("note", ""),
                quotes=quotes,
                is_published=data["is_published"],
            )
        except UnusableQuote as reason:
            raise ValidationError({"citations": {str(reason.index): [str(reason)]}}) from None
        return Response(CardRead(Card.objects.for_list().get(pk=card.pk)).data, status=201)


class CardView(ApiView):
    """A card that is published or one's own; what it quotes stays as it was quoted."""

    budget = Budget(statements=3, p95_ms=25, kilobytes=120)
    is_public = True
    scopes = {"PATCH": "research", "DELETE": "research"}

    @extend_schema(responses=CardRead)
    def get(self, request: Request, card_id: int) -> Response:
        return Response(CardRead(get_card(card_id, self.viewer)).data)

    @extend_schema(request=CardChange, responses=CardRead)
    def patch(self, request: Request, card_id: int) -> Response:
        card = get_own_card(card_id, self.actor)
        try:
            update_card(card=card, **self.body(CardChange, partial=True))
        except UnusableQuote as reason:
            raise ValidationError({"citations": {str(reason.index): [str(reason)]}}) from None
        return Response(CardRead(get_card(card_id, self.actor)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, card_id: int) -> Response:
        delete_card(card=get_own_card(card_id, self.actor))
        return Response(status=204)


def get_card(card_id: int, viewer: Profile | None) -> Card:
    return find_card(Card.objects.visible_to(viewer).for_list(), card_id)


def find_card(cards: QuerySet[Card], card_id: int) -> Card:
    """Return one of the cards; raise `Http404` when it is not among them."""
    card = cards.filter(pk=card_id).first()
    if card is None:
        raise Http404("There is no such card.")
    return card


def get_own_card(card_id: int, actor: Profile) -> Card:
    """Return a card of the actor's; raise `PermissionDenied` for one they may only read."""
    card = get_card(card_id, actor)
    if card.profile_id != actor.pk:
        raise PermissionDenied("Only who made a card may do this.")
    return card
