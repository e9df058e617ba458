from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import models
from django.db.models import Exists, Prefetch, Q
from django.db.models.functions import Greatest, Now

if TYPE_CHECKING:
    from agents.knowledge.models import (  # noqa: F401
        Account,
        Attribution,
        Author,
        Card,
        Content,
        LedgerEntry,
        Passage,
        ResearchSession,
        Source,
    )
    from agents.models import Agent, Profile


class AuthorQuerySet(models.QuerySet["Author"]):
    def matching(self, term: str) -> Self:
        """Authors whose user name or display name contains `term`, the most similar first."""
        return (
            self.filter(Q(username__icontains=term) | Q(display_name__icontains=term))
            .annotate(
                similarity=Greatest(
                    TrigramWordSimilarity(term, "username"), TrigramWordSimilarity(term, "display_name")
                )
            )
            .order_by("-similarity", "-id")
        )

    def for_list(self) -> Self:
        return self.fetch_mode(models.FETCH_RAISE)


class ContentQuerySet(models.QuerySet["Content"]):
    def common(self) -> Self:
        return self.filter(agent=None)

    def known_to(self, agent: Agent) -> Self:
        """An agent's own knowledge and what is common to all."""
        return self.filter(Q(agent=agent) | Q(agent=None))

    def visible_to(self, viewer: Profile | None) -> Self:
        """What is common, and the knowledge of the agents that the viewer owns or is."""
        if viewer is None:
            return self.common()
        owned = Exists(viewer.agents.filter(pk=models.OuterRef("agent")))
        return self.filter(Q(agent=None) | Q(agent=viewer.pk) | owned)

    def with_fingerprints(self, fingerprints: Iterable[bytes]) -> Self:
        return self.filter(fingerprint__in=list(fingerprints))

    def to_analyze(self) -> Self:
        return self.filter(analyzed_at=None)

    def for_indexing(self) -> Self:
        return self.to_analyze().only("agent_id", "title", "text").fetch_mode(models.FETCH_RAISE)

    def for_list(self, viewer: Profile | None) -> Self:
        """Load what a list shows; the text stays in the database."""
        return (
            self.visible_to(viewer)
            .select_related("author", "agent__profile")
            .defer("text", "embedding", "sketch", "fingerprint")
            .fetch_mode(models.FETCH_RAISE)
        )

    def for_detail(self, viewer: Profile | None) -> Self:
        return (
            self.visible_to(viewer)
            .select_related("author", "agent__profile")
            .defer("embedding", "sketch", "fingerprint")
            .fetch_mode(models.FETCH_RAISE)
        )


class PassageQuerySet(models.QuerySet["Passage"]):
    def not_embedded_by(self, model: str, dimensions: int) -> Self:
        """Passages whose vector another model made, or none."""
        return self.exclude(embedding_model=model, embedding_dimensions=dimensions)

    def visible_to(self, viewer: Profile) -> Self:
        return self.filter(
            Q(agent=None) | Q(agent=viewer.pk) | Exists(viewer.agents.filter(pk=models.OuterRef("agent")))
        )

    def for_quoting(self, viewer: Profile) -> Self:
        """Load passages that the viewer may quote, each with its content and author."""
        return (
            self.visible_to(viewer)
            .select_related("content__author")
            .defer("embedding", "search_vector", "content__embedding", "content__sketch")
            .fetch_mode(models.FETCH_RAISE)
        )


class SourceQuerySet(models.QuerySet["Source"]):
    def due(self) -> Self:
        """Sources whose time has come and that nobody works on."""
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=Now()), due_at__lte=Now())

    def for_list(self, owner: Profile) -> Self:
        return self.filter(profile=owner).select_related("agent__profile").fetch_mode(models.FETCH_RAISE)


class ResearchSessionQuerySet(models.QuerySet["ResearchSession"]):
    def for_list(self, owner: Profile) -> Self:
        return self.filter(profile=owner).select_related("agent__profile").fetch_mode(models.FETCH_RAISE)


class CardQuerySet(models.QuerySet["Card"]):
    def published(self) -> Self:
        return self.filter(~Q(profile__kind="gone"), published_at__isnull=False)

    def visible_to(self, viewer: Profile | None) -> Self:
        return self.published() if viewer is None else self.published() | self.filter(profile=viewer)

    def for_list(self) -> Self:
        """Load cards with their author and their citations, in two statements."""
        attributions = self.model._meta.get_field("citations").related_model._default_manager
        citations = Prefetch("citations", attributions.select_related("author"))
        return self.select_related("profile").prefetch_related(citations).fetch_mode(models.FETCH_RAISE)

    def for_page(self) -> Self:
        """Load cards as pages show them: also with whoever answers for their author."""
        return self.for_list().select_related("profile__agent__owner")


class AttributionQuerySet(models.QuerySet["Attribution"]):
    def for_list(self, owner: Profile) -> Self:
        return self.filter(profile=owner).select_related("author").fetch_mode(models.FETCH_RAISE)


class AccountQuerySet(models.QuerySet["Account"]):
    def for_balances(self, owner: Profile) -> Self:
        return self.filter(profile=owner).order_by("kind").fetch_mode(models.FETCH_RAISE)


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    def for_statement(self, owner: Profile) -> Self:
        """The entries of a profile's accounts."""
        return self.filter(account__profile=owner).select_related("account").fetch_mode(models.FETCH_RAISE)
