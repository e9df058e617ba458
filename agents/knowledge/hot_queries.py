"""The queries of contents, research and the ledger that must be quick."""

from agents.knowledge import counts
from agents.knowledge.models import (
    Account,
    Attribution,
    Author,
    Card,
    Content,
    LedgerEntry,
    Pattern,
    ResearchSession,
    Source,
)
from agents.models import Profile
from performance.hot_queries import hot_query


def owner() -> Profile:
    return Profile.objects.people().order_by("id")[:1].get()


hot_query(
    "newest contents",
    index="content_newest",
    build=lambda: Content.objects.for_list(None).order_by("-scraped_at", "-id")[:20],
)
hot_query("content", index="knowledge_content_pkey", build=lambda: Content.objects.filter(pk=1).for_detail(None))
hot_query(
    "authors by name", index="author_username_trgm", build=lambda: Author.objects.filter(username__icontains="wren")
)
hot_query(
    "surest patterns",
    index="pattern_confidence",
    build=lambda: Pattern.objects.order_by("-confidence_score", "-id")[:20],
)
hot_query(
    "newest published cards",
    index="card_published_newest",
    build=lambda: Card.objects.published().for_list().order_by("-published_at", "-id")[:20],
)
hot_query(
    "my cards",
    index="card_profile_newest",
    build=lambda: Card.objects.filter(profile=owner()).for_list().order_by("-created_at", "-id")[:20],
)
hot_query(
    "my research sessions",
    index="session_profile_newest",
    build=lambda: ResearchSession.objects.for_list(owner()).order_by("-id")[:20],
)
hot_query(
    "my attributions",
    index="attribution_profile_newest",
    build=lambda: Attribution.objects.for_list(owner()).order_by("-id")[:20],
)
hot_query(
    "my sources", index="source_profile_newest", build=lambda: Source.objects.for_list(owner()).order_by("-id")[:20]
)
hot_query("my balances", index="account_profile_once", build=lambda: Account.objects.for_balances(owner()))
hot_query(
    "my statement",
    index="ledger_account_newest",
    build=lambda: LedgerEntry.objects.for_statement(owner()).order_by("-id")[:20],
)
hot_query(
    "counts",
    index=("knowledge_content_pkey", "knowledge_passage_pkey", "content_to_analyze", "source_due"),
    build=lambda: (counts.statement(), ()),
)
