"""Answering a question from what is known, with citations that are true and paid for once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents.knowledge.models import Attribution, LedgerEntry, ResearchSession
from agents.knowledge.quotes import address_of
from agents.knowledge.retrieval.compose import Claim, current_composer
from agents.knowledge.retrieval.gate import Citation, checked
from agents.knowledge.retrieval.search import Filters, Hit, search
from agents.knowledge.services import ledger
from agents.models import Agent, Profile

NOT_FOUND = "not found in your sources"
PASSAGES = 8
# A session that runs for longer than this has lost its process.
ABANDONED_AFTER = timedelta(minutes=5)


def research(*, profile: Profile, question: str, filters: Filters, agent: Agent | None = None) -> ResearchSession:
    """Answer a question; the session holds the steps, the answer and its citations.

    Raises `InsufficientFunds` before anything is done. No transaction is open while the composer works.
    """
    filters = replace(filters, viewer=profile)
    session = start_session(profile=profile, question=question, filters=filters, agent=agent)
    try:
        hits = _step(session, "search", lambda: search(question, filters=filters, limit=PASSAGES))
        claims = _step(session, "compose", lambda: current_composer()(question, hits))
        facts = _step(session, "check", lambda: checked(claims, viewer=profile, allowed=_ids(hits)))
    except Exception:
        _close(session, ResearchSession.Status.FAILED, {})
        raise
    return _finish(session, claims, facts)


@transaction.atomic
def start_session(*, profile: Profile, question: str, filters: Filters, agent: Agent | None) -> ResearchSession:
    """Open a session and set its price aside."""
    session = ResearchSession.objects.create(profile=profile, agent=agent, question=question, filters=_as_json(filters))
    if price := settings.RETRIEVAL_PRICE_MICRO:
        ledger.give_starter_grant(profile=profile)
        ledger.reserve(profile=profile, amount_micro=price, idempotency_key=_key(session))
    return session


@transaction.atomic
def _finish(session: ResearchSession, claims: list[Claim], facts: list[tuple[Claim, Citation]]) -> ResearchSession:
    attributions = [attribution_of(citation, profile=session.profile, session=session) for _, citation in facts]
    Attribution.objects.bulk_create(attributions)
    sentences = [{"text": claim.text, "kind": "fact", "citation": as_json(citation)} for claim, citation in facts]
    answer = {
        "text": " ".join(claim.text for claim, _ in facts) or NOT_FOUND,
        "sentences": sentences,
        "dropped_count": len(claims) - len(facts),
    }
    if facts:
        _pay(session, facts)
    return _close(session, ResearchSession.Status.DONE if facts else ResearchSession.Status.NOT_FOUND, answer)


def _pay(session: ResearchSession, facts: list[tuple[Claim, Citation]]) -> None:
    """Settle the price and hand the authors their share of it, in equal parts."""
    price = settings.RETRIEVAL_PRICE_MICRO
    if not price:
        return
    ledger.settle(profile=session.profile, idempotency_key=_key(session), cost_micro=price)
    authors = {content.author for _, citation in facts if (content := citation.passage.content).author}
    if not authors or not (share := price * settings.AUTHORS_SHARE_PERCENT // 100 // len(authors)):
        return
    house = ledger.house()
    ledger.post_transfers(
        ledger.Transfer(
            house, ledger.earnings_of(author), share, LedgerEntry.Kind.CITATION, f"{_key(session)}:author:{author.pk}"
        )
        for author in sorted(authors, key=lambda author: author.pk)
    )


def _close(session: ResearchSession, status: str, answer: dict[str, Any]) -> ResearchSession:
    with transaction.atomic():
        if status != ResearchSession.Status.DONE and settings.RETRIEVAL_PRICE_MICRO:
            ledger.release(profile=session.profile, idempotency_key=_key(session))
        session.status, session.answer, session.finished_at = status, answer, timezone.now()
        session.save(update_fields=["status", "answer", "steps", "finished_at"])
    return session


def close_abandoned() -> int:
    """Fail the sessions whose process is gone and give back what they had set aside; return how many."""
    abandoned = ResearchSession.objects.filter(
        status=ResearchSession.Status.RUNNING, created_at__lt=timezone.now() - ABANDONED_AFTER
    )
    rows = list(abandoned.select_related("profile").order_by("created_at")[:100])
    for session in rows:
        _close(session, ResearchSession.Status.FAILED, {})
    return len(rows)


def attribution_of(citation: Citation, *, profile: Profile, **of: Any) -> Attribution:
    """Make the row that keeps a quotation; `of` is the session or the card it belongs to."""
    content = citation.passage.content
    return Attribution(
        profile=profile,
        content=content,
        passage=citation.passage,
        author=content.author,
        title=content.title,
        url=content.url,
        quote=citation.quote,
        start=citation.start,
        end=citation.end,
        **of,
    )


def as_json(citation: Citation) -> dict[str, Any]:
    content = citation.passage.content
    return {
        "content": content.pk,
        "passage": citation.passage.pk,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "title": content.title,
        "url": content.url,
        "author": str(content.author) if content.author else "",
        "link": address_of(content_id=content.pk, start=citation.start, end=citation.end, quote=citation.quote),
    }


def _step[T](session: ResearchSession, name: str, work: Callable[[], list[T]]) -> list[T]:
    started = perf_counter()
    found = work()
    session.steps.append({"step": name, "count": len(found), "ms": round((perf_counter() - started) * 1000, 1)})
    return found


def _ids(hits: list[Hit]) -> set[int]:
    return {hit.passage_id for hit in hits}


def _key(session: ResearchSession) -> str:
    return f"research:{session.pk}"


def _as_json(filters: Filters) -> dict[str, Any]:
    given = {
        "agent": filters.agent.pk if filters.agent else None,
        "platform": filters.platform,
        "author": filters.author_id,
        "since": filters.since.isoformat() if filters.since else None,
        "until": filters.until.isoformat() if filters.until else None,
    }
    return {name: value for name, value in given.items() if value}
