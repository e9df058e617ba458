"""Fetch figures often while a post is new and rarely later; keep series, newest figures and daily sums."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from performance.caches import invalidate
from posts.publishing.models import AnalyticsSummary, LatestFigures, MetricSample, Publication, SocialAccount
from posts.publishing.networks import network_named
from posts.publishing.networks.base import Credentials, Figures
from posts.publishing.networks.errors import NeedsReconnect, Refused
from posts.publishing.services.accounts import (
    expire_token,
    release_refresh_lease,
    require_reconnect,
    save_credentials,
    take_refresh_lease,
    wants_refresh,
)

MINUTES_AFTER = (15, 60, 180, 360, 720, 1440, 2880, 5760, 10_080, 20_160, 43_200)
# Who fetches has so long before somebody else tries.
LEASE = timedelta(minutes=2)
THREADS = 8
# Figures of an account that has to be connected again wait so long for that.
ASLEEP = timedelta(hours=6)


def analytics_tag(owner_id: int) -> str:
    return f"analytics:{owner_id}"


def next_fetch(published_at: datetime, fetch_count: int) -> datetime | None:
    """Return when the figures are fetched for the n-th time; None after the last, thirty days on."""
    if fetch_count >= len(MINUTES_AFTER):
        return None
    return published_at + timedelta(minutes=MINUTES_AFTER[fetch_count])


def start_series(publication: Publication, *, published_at: datetime) -> None:
    """Begin to follow a publication that has just gone out; in the transaction that says so."""
    LatestFigures.objects.create(publication=publication, due_at=next_fetch(published_at, 0))
    _add(publication, published_at=published_at, published_count=1)
    invalidate(analytics_tag(publication.owner_id))


def _add(publication: Publication, *, published_at: datetime, **steps: int) -> None:
    """Add to the sums of a publication's account and day."""
    key = {"account_id": publication.account_id, "day": published_at.astimezone(UTC).date()}
    changes = {name: F(name) + step for name, step in steps.items() if step}
    if not changes or AnalyticsSummary.objects.filter(**key).update(**changes):
        return
    defaults = {"owner_id": publication.owner_id, "network": publication.network}
    AnalyticsSummary.objects.bulk_create([AnalyticsSummary(**key, **defaults)], ignore_conflicts=True)
    AnalyticsSummary.objects.filter(**key).update(**changes)


def claim_figures(*, count: int) -> list[Publication]:
    """Take publications in hand whose figures are due; nobody else fetches them for two minutes."""
    now = timezone.now()
    with transaction.atomic():
        due = LatestFigures.objects.filter(due_at__lte=now).select_for_update(skip_locked=True).order_by("due_at")
        ids = list(due.values_list("pk", flat=True)[:count])
        LatestFigures.objects.filter(pk__in=ids).update(due_at=now + LEASE)
    claimed = list(Publication.objects.filter(pk__in=ids).for_sending())
    if asleep := [one.pk for one in claimed if not one.account.is_active]:
        LatestFigures.objects.filter(pk__in=asleep).update(due_at=now + ASLEEP)
    return [one for one in claimed if one.account.is_active]


def fetch_due(*, count: int = 100) -> int:
    """Fetch the figures that are due; return how many came in. Threads talk HTTP, this one the database."""
    claimed = claim_figures(count=count)
    with ThreadPoolExecutor(THREADS) as threads:
        refreshed = _refresh_tokens(claimed, threads)
        # Who waits for a token that somebody else is refreshing asks again when its lease is over.
        able = [one for one in claimed if one.account_id in refreshed or not wants_refresh(one.account)]
        for one in able:
            one.account = refreshed.get(one.account_id, one.account)
        asked = [(one, threads.submit(network_named(one.network).metrics, one)) for one in able]
        return sum(_settle(one, future, is_fresh=one.account_id in refreshed) for one, future in asked)


def _refresh_tokens(claimed: list[Publication], threads: ThreadPoolExecutor) -> dict[int, SocialAccount]:
    """Refresh the tokens that run out, each once; return the accounts that have a new one.

    An access token of X or Bluesky lives two hours, the figures of a post are followed for thirty days.
    """
    stale = {one.account_id: one.account for one in claimed if wants_refresh(one.account)}
    taken = {pk: account for pk, account in stale.items() if take_refresh_lease(account=account)}
    asked = {pk: threads.submit(network_named(account.network).refresh, account) for pk, account in taken.items()}
    return {pk: taken[pk] for pk, future in asked.items() if _settle_refresh(taken[pk], future)}


def _settle_refresh(account: SocialAccount, future: Future[Credentials]) -> bool:
    match error := future.exception():
        case None:
            return save_credentials(account=account, credentials=future.result())
        case NeedsReconnect():
            require_reconnect(account=account, reason=str(error))
        case _:
            release_refresh_lease(account=account)
    return False


def _settle(publication: Publication, future: Future[Figures], *, is_fresh: bool) -> bool:
    account = publication.account
    match error := future.exception():
        case None:
            record_figures(publication=publication, figures=future.result())
        case NeedsReconnect() if account.refresh_token and not is_fresh:
            expire_token(account=account)
        case NeedsReconnect():
            require_reconnect(account=account, reason=str(error))
        case Refused() | NotImplementedError():
            # Deleted on the network, or figures that this account may not see: the series ends here.
            LatestFigures.objects.filter(pk=publication.pk).update(due_at=None)
    return error is None


@transaction.atomic
def record_figures(*, publication: Publication, figures: Figures) -> None:
    """Append to the series of a publication and bring newest figures and daily sums up to date."""
    if publication.published_at is None:
        return
    latest = LatestFigures.objects.select_for_update().get(pk=publication.pk)
    new = {name: getattr(figures, name) for name in LatestFigures.NAMES}
    MetricSample.objects.create(publication=publication, **new)
    steps = {name: value - getattr(latest, name) for name, value in new.items()}
    _add(publication, published_at=publication.published_at, **steps)
    LatestFigures.objects.filter(pk=publication.pk).update(
        fetch_count=latest.fetch_count + 1,
        fetched_at=timezone.now(),
        due_at=next_fetch(publication.published_at, latest.fetch_count + 1),
        **new,
    )
    invalidate(analytics_tag(publication.owner_id))
