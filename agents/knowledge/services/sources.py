"""Sources: what is to be read, when, and what came of it. No transaction is open while a host is asked."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from agents.importing.report import Report
from agents.knowledge.feeds import ENTRIES, import_feed
from agents.knowledge.fetching import Fetched, FetchFailed, ForbiddenAddress
from agents.knowledge.fetching.polite import HostBusy, fetch_politely
from agents.knowledge.models import Content, Source
from agents.knowledge.parsing.bounded import UnparsableDocument
from agents.knowledge.parsing.pages import canonical_url, read_page
from agents.knowledge.poking import poke
from agents.knowledge.services.contents import revise_content, save_author, save_content
from agents.models import Agent, Profile

LEASE = timedelta(minutes=2)
FIRST_BACKOFF = timedelta(minutes=1)
MAX_BACKOFF = timedelta(days=1)
# A source that is read once is given up after this many failures.
MAX_ATTEMPTS = 5
MIN_INTERVAL_SECONDS = 300

Status = Source.Status


@dataclass
class Outcome:
    """What one reading brought."""

    content: Content | None = None
    count: int = 0
    etag: str = ""
    last_modified: str = ""
    title: str = ""


@transaction.atomic
def request_source(
    *,
    profile: Profile,
    kind: str,
    url: str = "",
    text: str = "",
    title: str = "",
    agent: Agent | None = None,
    interval_seconds: int | None = None,
) -> Source:
    """Remember something to read, once or again and again, and poke a worker."""
    source = Source.objects.create(
        profile=profile,
        agent=agent,
        kind=kind,
        url=canonical_url(url) if url else "",
        text=text,
        title=title,
        interval_seconds=interval_seconds,
        due_at=timezone.now(),
    )
    poke("read_source", source.pk)
    return source


def read_source(source_id: int) -> bool:
    """Read a source that is due; return False when it is not, or when somebody else is at it."""
    # Here, because NumPy comes with it, which a web process does not need.
    from agents.knowledge.indexing import index_pending

    source = _claim(source_id)
    if source is None:
        return False
    try:
        outcome = _read(source)
    except HostBusy as busy:
        _put_off(source, timedelta(seconds=busy.wait_seconds))
    except (FetchFailed, ForbiddenAddress, UnparsableDocument, ValueError) as reason:
        _fail(source, str(reason), is_final=isinstance(reason, ForbiddenAddress | UnparsableDocument | ValueError))
    else:
        _succeed(source, outcome)
        index_pending(limit=100)
    return True


def _claim(source_id: int) -> Source | None:
    """Take a source for the length of a lease; the token tells this taking from every other."""
    now = timezone.now()
    taken = (
        Source.objects.due()
        .filter(pk=source_id)
        .update(lease_until=now + LEASE, fencing_token=F("fencing_token") + 1, status=Status.RUNNING)
    )
    return Source.objects.select_related("agent", "profile").get(pk=source_id) if taken else None


def _read(source: Source) -> Outcome:
    if source.kind == Source.Kind.TEXT:
        content, is_new = save_content(platform="text", title=source.title, text=source.text, agent=source.agent)
        return Outcome(content=content, count=int(is_new))
    known = {"If-None-Match": source.etag, "If-Modified-Since": source.last_modified}
    answer = fetch_politely(source.url, headers={name: value for name, value in known.items() if value})
    if answer.status == 304:
        return Outcome(etag=source.etag, last_modified=source.last_modified)
    if answer.status != 200:
        raise FetchFailed(f"The host answered {answer.status}.")
    is_feed = source.kind == Source.Kind.FEED or (source.kind == Source.Kind.URL and _is_feed(answer))
    outcome = _read_feed(source, answer) if is_feed else _read_page(source, answer)
    outcome.etag = answer.headers.get("etag", "")[:500]
    outcome.last_modified = answer.headers.get("last-modified", "")[:100]
    return outcome


def _is_feed(answer: Fetched) -> bool:
    """Say whether an answer is a feed by its first bytes: servers call feeds all kinds of things."""
    return any(tag in answer.body[:2000].lower() for tag in (b"<rss", b"<feed", b"<rdf:rdf"))


def _read_feed(source: Source, answer: Fetched) -> Outcome:
    report = Report()
    import_feed(answer.body, where=source.url, report=report, agent=source.agent, base_url=answer.url)
    created = report.outcomes[ENTRIES, "created"]
    if not created + report.outcomes[ENTRIES, "unchanged"]:
        raise UnparsableDocument("; ".join(reason for _, reason in list(report.skipped)[:3]) or "no entries")
    return Outcome(count=created)


def _read_page(source: Source, answer: Fetched) -> Outcome:
    page = read_page(answer.body, url=answer.url)
    content, is_new = save_content(
        platform="web",
        title=page.title or source.title,
        text=page.text,
        url=page.url,
        agent=source.agent,
        author=save_author(platform="web", name=page.author),
        language=page.language,
        published_at=page.published_at,
    )
    if not is_new:
        revise_content(content=content, title=page.title, text=page.text)
    return Outcome(content=content, count=int(is_new), title=page.title)


def _mine(source: Source) -> models.QuerySet[Source]:
    """The row, if nobody has taken it since: a worker that slept past its lease writes nothing."""
    return Source.objects.filter(pk=source.pk, fencing_token=source.fencing_token)


def _succeed(source: Source, outcome: Outcome) -> None:
    now = timezone.now()
    again = now + timedelta(seconds=source.interval_seconds) if source.interval_seconds else None
    _mine(source).update(
        status=Status.DONE,
        problem="",
        failure_count=0,
        lease_until=None,
        read_at=now,
        due_at=again,
        etag=outcome.etag,
        last_modified=outcome.last_modified,
        title=(outcome.title or source.title)[:500],
        content_count=F("content_count") + outcome.count,
        last_content=outcome.content or F("last_content"),
    )


def _put_off(source: Source, wait: timedelta) -> None:
    _mine(source).update(status=Status.PENDING, lease_until=None, due_at=timezone.now() + wait)


def _fail(source: Source, problem: str, *, is_final: bool) -> None:
    """Write a failure down and when to try again: twice as late each time."""
    failures = source.failure_count + 1
    is_over = not source.interval_seconds and (is_final or failures >= MAX_ATTEMPTS)
    wait = min(FIRST_BACKOFF * 2 ** min(failures - 1, 20), MAX_BACKOFF)
    if source.interval_seconds:
        wait = max(wait, timedelta(seconds=source.interval_seconds))
    _mine(source).update(
        status=Status.FAILED if is_over or source.interval_seconds else Status.PENDING,
        problem=problem[:500],
        failure_count=failures,
        lease_until=None,
        read_at=timezone.now(),
        due_at=None if is_over else timezone.now() + wait,
    )
