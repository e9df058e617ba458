"""Everything that changes publications, at once and on the same rows: nobody waits for who waits for them."""

import random
import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from agents.models import Profile
from posts.publishing.models import LatestFigures, Occurrence, Publication, RecurringPost, SocialAccount
from posts.publishing.networks import network_named
from posts.publishing.networks.base import Credentials, Identity, Receipt
from posts.publishing.networks.errors import NeedsReconnect
from posts.publishing.services import connecting, outcomes, publications, recurring
from posts.publishing.services.batches import begin_many, publish_many
from posts.publishing.services.claims import claim_due
from posts.publishing.services.transitions import Overtaken
from posts.publishing.states import OPEN, S, Status
from tests.concurrency import run_together
from tests.publishing import make_account, make_publication, make_recurring_post

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 2
# On a busy machine it goes on until everything has met everything else.
MOST_SECONDS = 30
THREADS_OF_POSTS = 4
TEXT = "One bird sang here. Two birds sang here. Three birds sang here."
# The states that the changes start from, most often those that batches take.
SHUFFLE = """
UPDATE publishing_publication SET fence = fence + 1, lease_until = now() + interval '1 minute', remote_id = NULL,
    due_at = CASE WHEN random() < 0.5 THEN now() END, error_class = CASE WHEN random() < 0.5 THEN 'needs_reconnect'
    ELSE '' END, status = (ARRAY['queued', 'queued', 'sending', 'sending', 'scheduled', 'failed'])[1 + random() * 5]
"""


class Bustle:
    """What owners, workers and administrators do to one account's publications."""

    def __init__(self, account: SocialAccount) -> None:
        self.account, self.owner = account, account.owner
        self.done: Counter[str] = Counter()
        self.deadlocks: list[str] = []
        self.changes = [self.begin, self.publish, self.claim, self.cancel, self.fail, self.settle, self.park]
        self.changes += [self.disconnect, self.reconnect, self.end_recurring, self.shuffle]

    def rows(self) -> list[Publication]:
        rows = list(Publication.objects.select_related("account"))
        random.shuffle(rows)
        return rows

    def one(self, *statuses: Status) -> Publication:
        rows = Publication.objects.select_related("account").filter(status__in=statuses)
        if (row := rows.order_by("?").first()) is None:
            raise Overtaken
        return row

    def begin(self) -> int:
        return len(begin_many(self.rows()))

    def publish(self) -> int:
        publish_many([(row, Receipt(f"{row.pk}-{row.fence}")) for row in self.rows()])
        return 1

    def claim(self) -> int:
        Publication.objects.filter(pk=self.one(S.QUEUED).pk).update(lease_until=None)
        return len(claim_due(network=network_named("mastodon"), count=50))

    def cancel(self) -> int:
        publications.cancel(publication=self.one(*OPEN), actor=self.owner)
        return 1

    def fail(self) -> int:
        outcomes.record_failed(self.one(S.SENDING, S.QUEUED), "Refused", error_class="refused")
        return 1

    def settle(self) -> int:
        row = self.one(S.SENDING)
        outcomes.record_published(row, Receipt(f"one-{row.pk}-{row.fence}"), reason="Read back")
        return 1

    def park(self) -> int:
        outcomes.park(self.one(S.SENDING, S.QUEUED), NeedsReconnect("Gone"))
        return 1

    def disconnect(self) -> int:
        connecting.disconnect(account=self.account, actor=self.owner)
        return 1

    def reconnect(self) -> int:
        identity, credentials = Identity(self.account.platform_user_id, "wren"), Credentials("token")
        connecting.save_account(
            owner=self.owner, network="mastodon", base_url="", identity=identity, credentials=credentials
        )
        return 1

    def end_recurring(self) -> int:
        row = make_recurring_post(account=SocialAccount.objects.get())
        try:
            for number, each in enumerate(self.rows()[:6]):
                Occurrence.objects.create(recurring_post=row, number=number, moment=timezone.now(), publication=each)
            recurring.remove(row=row, actor=self.owner)
        finally:
            # What was left would keep its publications from ever having another.
            RecurringPost.objects.filter(pk=row.pk).delete()
        return 1

    @transaction.atomic
    def shuffle(self) -> int:
        list(Publication.objects.in_lock_order())
        LatestFigures.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(SHUFFLE)
        return 1

    def missing(self) -> list[str]:
        """Return the changes that found nothing to do so far."""
        return [change.__name__ for change in self.changes if not self.done[change.__name__]]

    def go_on(self, number: int) -> None:
        started = time.monotonic()
        while (passed := time.monotonic() - started) < MOST_SECONDS and (passed < SECONDS or self.missing()):
            # A third of all turns puts the rows back to where there is something to change.
            change: Callable[[], int] = self.shuffle if random.random() < 0.3 else random.choice(self.changes)
            try:
                self.done[change.__name__] += change()
            except (Overtaken, IntegrityError, ValueError, ValidationError, connecting.NotConnected):
                # Too late, or not from this state: what somebody else did came first.
                continue
            except OperationalError as error:
                # A wait that was too long for a busy machine is none: a circle is found after a second.
                if isinstance(error.__cause__, DeadlockDetected):
                    self.deadlocks.append(f"{change.__name__}: {error}")


def test_whatever_is_done_to_the_same_rows_at_once_ends_in_no_deadlock(alice: Profile) -> None:
    account = make_account(owner=alice, limits={"max_characters": 30})
    for _ in range(THREADS_OF_POSTS):
        make_publication(account=account, text=TEXT, split=True)
    bustle = Bustle(account)
    run_together(5, bustle.go_on)
    assert bustle.deadlocks == []
    # All of them found something to do, so that they really met.
    assert bustle.missing() == []
