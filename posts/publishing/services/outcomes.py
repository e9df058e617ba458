"""Write down what became of a step: the rules that keep a post from going out twice or not at all."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from posts.publishing.models import Publication
from posts.publishing.networks import network_named
from posts.publishing.networks.base import Receipt, Repeat
from posts.publishing.networks.errors import (
    CannotReadBack,
    DuplicateRefused,
    NeedsReconnect,
    NotSent,
    RateLimited,
    Refused,
)
from posts.publishing.services import limits
from posts.publishing.services.accounts import expire_token, notify_owner, require_reconnect
from posts.publishing.services.metrics import start_series
from posts.publishing.services.threads import cancel_following, release_following
from posts.publishing.services.transitions import advance
from posts.publishing.services.webhooks import announce
from posts.publishing.states import Status

MAX_ATTEMPTS = 8
LONGEST_BACKOFF = timedelta(minutes=15)
FREE: dict[str, Any] = {"lease_until": None, "celery_task": ""}


def backoff(attempt: int) -> datetime:
    """Return when to try again: 2, 4, 8 ... seconds from now, with jitter, at most 15 minutes."""
    seconds = min(2.0 ** min(attempt, 12), LONGEST_BACKOFF.total_seconds())
    return timezone.now() + timedelta(seconds=seconds * random.uniform(0.75, 1.25))


def record_published(publication: Publication, receipt: Receipt, *, reason: str) -> None:
    """Record the proof that a post is out, and let the next part of its thread go.

    When the proof belongs to another publication already, this one's outcome is unknown again: two rows with
    the same text were in doubt at once, and each of them finds its own on reading back.
    """
    moment = receipt.published_at or timezone.now()
    try:
        with transaction.atomic():
            advance(
                publication=publication,
                to=Status.PUBLISHED,
                reason=reason,
                remote_id=receipt.remote_id,
                remote_url=receipt.url,
                remote_data=receipt.data,
                published_at=moment,
                due_at=None,
                error_class="",
                error_detail="",
                **FREE,
            )
            release_following(publication=publication)
            start_series(publication, published_at=moment)
            announce(owner_id=publication.owner_id, kind="published", publication=publication.pk, url=receipt.url)
    except IntegrityError:
        publication.refresh_from_db(fields=["status"])
        record_unknown(publication, "Its remote id belongs to another publication.", delay_seconds=1)


def record_unknown(publication: Publication, detail: str, *, delay_seconds: float, error_class: str = "lost") -> None:
    """Record that a request may have taken effect; the next step is to read back."""
    advance(
        publication=publication,
        to=Status.UNKNOWN,
        reason=detail,
        due_at=timezone.now() + timedelta(seconds=delay_seconds),
        error_class=error_class,
        error_detail=detail[:300],
        **FREE,
    )


@transaction.atomic
def record_failed(publication: Publication, detail: str, *, error_class: str) -> None:
    """Record that a post is certainly not out and will not be tried again by itself."""
    advance(
        publication=publication,
        to=Status.FAILED,
        reason=detail,
        due_at=None,
        error_class=error_class,
        error_detail=detail[:300],
        **FREE,
    )
    cancel_following(publication=publication, reason="The part before it failed")
    announce(owner_id=publication.owner_id, kind="failed", publication=publication.pk, reason=detail)
    notify_owner(account=publication.account, kind="failed", text=f"Publication {publication.pk}: {detail}")


@transaction.atomic
def record_disowned(publication: Publication) -> None:
    """Record that a post is not sent because its account is connected to somebody else's profile by now."""
    reason = "Its account belongs to another profile now"
    advance(publication=publication, to=Status.CANCELLED, reason=reason, due_at=None, **FREE)
    cancel_following(publication=publication, reason=reason)


def record_not_sent(publication: Publication, error: NotSent) -> None:
    """Record a try without effect: again later, at most eight times unless the network asked to wait."""
    if isinstance(error, RateLimited):
        limits.block(key=limits.account_key(publication.account_id), until=error.until)
        return _put_back(publication, str(error), due_at=error.until, error_class="rate_limited")
    if publication.attempt >= MAX_ATTEMPTS:
        return record_failed(publication, str(error), error_class="unreachable")
    # The sending state counted this attempt already; a preparation that failed has not been counted yet.
    counted = {} if publication.status == Status.SENDING else {"attempt": F("attempt") + 1}
    return _put_back(publication, str(error), due_at=backoff(publication.attempt), error_class="unreachable", **counted)


def _put_back(publication: Publication, reason: str, *, due_at: datetime | None, **changes: Any) -> None:
    advance(
        publication=publication,
        to=Status.QUEUED,
        reason=reason,
        due_at=due_at,
        error_detail=reason[:300],
        **FREE,
        **changes,
    )


@transaction.atomic
def record_credentials_refused(publication: Publication, error: NeedsReconnect) -> None:
    """Try once with a fresh token where there is a way to get one; otherwise wait for the owner."""
    account = publication.account
    if account.is_active and account.refresh_token and publication.error_class != "token_refused":
        expire_token(account=account)
        _wait_for_token(publication, error, due_at=timezone.now(), error_class="token_refused")
    else:
        park(publication, error)


@transaction.atomic
def park(publication: Publication, error: NeedsReconnect) -> None:
    """Keep a row until its account is connected again."""
    require_reconnect(account=publication.account, reason=str(error))
    _wait_for_token(publication, error, due_at=None, error_class="needs_reconnect")


def _wait_for_token(
    publication: Publication, error: NeedsReconnect, *, due_at: datetime | None, error_class: str
) -> None:
    advance(
        publication=publication,
        to=Status.UNKNOWN if publication.status == Status.UNKNOWN else Status.QUEUED,
        reason=str(error),
        due_at=due_at,
        error_class=error_class,
        error_detail=str(error)[:300],
        **FREE,
    )


def record_step_error(publication: Publication, error: Exception) -> None:
    """Record what a request that was to have an effect, or the preparation for it, ended in."""
    network = network_named(publication.network)
    was_sending = publication.status == Status.SENDING
    match error:
        case NeedsReconnect():
            record_credentials_refused(publication, error)
        case Refused():
            record_failed(publication, str(error), error_class="refused")
        case NotSent():
            record_not_sent(publication, error)
        case DuplicateRefused():
            record_unknown(publication, str(error), delay_seconds=1, error_class="duplicate")
        case _ if was_sending:
            # Anything else, also a mistake of ours, came after the request went out.
            record_unknown(publication, f"{type(error).__name__}: {error}", delay_seconds=network.settle_seconds)
        case _:
            record_not_sent(publication, NotSent(f"{type(error).__name__}: {error}"))


def record_absent(publication: Publication) -> None:
    """Record the proof that a post is not on the network: only now may it be sent again."""
    if publication.error_class == "duplicate":
        return record_failed(
            publication, "The network refuses this text as a duplicate of an older post.", error_class="duplicate"
        )
    if publication.attempt >= MAX_ATTEMPTS:
        return record_failed(publication, "Read back: not there, after the last attempt.", error_class="unreachable")
    return _put_back(publication, "Read back: certainly not there", due_at=timezone.now(), error_class="")


def record_read_back_error(publication: Publication, error: Exception) -> None:
    """Record that reading back did not tell: with a key repeat safely, else later, else a person has to say."""
    network = network_named(publication.network)
    match error:
        case NeedsReconnect():
            record_credentials_refused(publication, error)
        case CannotReadBack() | Refused():
            if network.repeat_for(publication.account) is Repeat.KEY and network.remembers_key(publication):
                return _put_back(publication, "Repeated with its key", due_at=timezone.now(), error_class="")
            record_review(publication, str(error))
        case _:
            record_unread(publication, error)
    return None


@transaction.atomic
def record_review(publication: Publication, detail: str) -> None:
    """Record that only a person can find out what became of a post, and ask its owner."""
    advance(
        publication=publication,
        to=Status.UNKNOWN,
        reason=f"Waits for its owner: {detail}",
        due_at=None,
        error_class="review",
        error_detail=detail[:300],
        **FREE,
    )
    notify_owner(
        account=publication.account,
        kind="review",
        text=f"Publication {publication.pk} may or may not be out. Look at the account and say which it is.",
    )


def record_unread(publication: Publication, error: Exception) -> None:
    """Record that the network could not be read just now; try again, slower the longer it lasts."""
    since = publication.last_sent_at or publication.created_at
    age = (timezone.now() - since).total_seconds()
    until = error.until if isinstance(error, RateLimited) else timezone.now()
    advance(
        publication=publication,
        to=Status.UNKNOWN,
        reason=f"Could not be read back: {error}",
        due_at=max(until, timezone.now() + timedelta(seconds=min(max(age / 4, 2), 300))),
        error_detail=str(error)[:300],
        **FREE,
    )
