"""Publish what is due: claim, prepare, mark as sending, send, settle.

The thread that runs a `Worker` is the only one that talks to the database, in transactions of a few
milliseconds; the threads of its pools only ever talk HTTP. So no connection is held during a network call, and
a slow network fills its own threads and nobody else's.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, connection

from posts.publishing.models import Publication
from posts.publishing.networks import NETWORKS, network_named
from posts.publishing.networks.base import Receipt
from posts.publishing.networks.errors import NeedsReconnect
from posts.publishing.querysets import LEASE_SECONDS
from posts.publishing.services import accounts, outcomes
from posts.publishing.services.batches import begin_many, publish_many
from posts.publishing.services.claims import claim_due, networks_with_due
from posts.publishing.services.transitions import Overtaken
from posts.publishing.states import Status

logger = logging.getLogger(__name__)

BATCH = 100
# How long results are gathered: each round costs the same handful of statements for one row as for many.
GATHER_SECONDS = 0.1
# Below the lease: whoever is still busy by then is given up, and the lease decides what becomes of the row.
GIVE_UP_SECONDS = LEASE_SECONDS - 2
DATABASE_RETRY_SECONDS = 0.25


@dataclass
class Step:
    """One network call on behalf of one publication, and what to do with its result."""

    publication: Publication
    then: Callable[[Publication, Any], None]
    otherwise: Callable[[Publication, Exception], None]
    give_up_at: float


class Worker:
    """Holds the rows in hand and the threads that talk to the networks."""

    def __init__(self, *, networks: Iterable[str] = NETWORKS, task: str = "") -> None:
        self.networks = [network_named(name) for name in networks]
        self.task = task
        self.pools: dict[str, ThreadPoolExecutor] = {}
        self.steps: dict[Future[Any], Step] = {}
        # What came back and is not written down yet: it outlives a database that is away for a moment.
        self.prepared: list[tuple[Publication, dict[str, Any]]] = []
        self.proofs: list[tuple[Publication, Receipt]] = []
        self.answers: deque[tuple[Step, Future[Any]]] = deque()
        self.settled_count = 0

    def run(self, *, seconds: float) -> int:
        """Publish until nothing is due and nothing is in hand; claim for at most `seconds`.

        Return how many rows were settled. Raises the database's error when it stays away until every lease is over.
        """
        claim_until = time.monotonic() + seconds
        try:
            while True:
                try:
                    if not self.turn(may_claim=time.monotonic() < claim_until):
                        return self.settled_count
                except (OperationalError, InterfaceError) as error:
                    # Away, or it chose us to end a deadlock. All that is written down is fenced: once more is safe.
                    if time.monotonic() > claim_until + LEASE_SECONDS:
                        raise
                    logger.warning("The database is away: %s", error)
                    connection.close_if_unusable_or_obsolete()
                    time.sleep(DATABASE_RETRY_SECONDS)
        finally:
            for pool in self.pools.values():
                pool.shutdown(wait=False, cancel_futures=True)

    def turn(self, *, may_claim: bool) -> bool:
        """Do what can be done now; whether anything was or is in hand."""
        self.write_down()
        claimed = self.claim() if may_claim else 0
        self.send()
        if not self.steps and not claimed:
            return False
        self.collect()
        return True

    def claim(self) -> int:
        """Claim what is due on networks that have room, and start the first step of each row; return how many."""
        in_hand = Counter(step.publication.network for step in self.steps.values())
        room = {network: network.concurrency - in_hand[network.name] for network in self.networks}
        # A quarter at a time: a claim costs the same for one row as for many.
        able = {network.name: free for network, free in room.items() if free >= max(network.concurrency // 4, 1)}
        claimed = [
            publication
            for name in networks_with_due(able)
            for publication in claim_due(network=network_named(name), count=min(able[name], BATCH), task=self.task)
        ]
        for publication in claimed:
            self.start(publication)
        return len(claimed)

    def collect(self) -> None:
        """Wait a moment for results and act on them, on those of one kind in one statement."""
        # For all of them and not for the first: what comes within the moment is settled together.
        done, _ = wait(self.steps, timeout=GATHER_SECONDS)
        for future in done:
            step = self.steps.pop(future)
            if future.exception() is None and step.then is prepared:
                self.prepared.append((step.publication, future.result()))
            elif future.exception() is None and step.then is sent:
                self.proofs.append((step.publication, future.result()))
            else:
                self.answers.append((step, future))
        now = time.monotonic()
        for future in [future for future, step in self.steps.items() if step.give_up_at < now]:
            del self.steps[future]
        self.write_down()

    def write_down(self) -> None:
        """Record what came back; what a lost database leaves over is recorded on the next turn."""
        self.publish()
        while self.answers:
            step, future = self.answers[0]
            self.settle(step, future)
            self.answers.popleft()
            self.settled_count += 1

    def send(self) -> None:
        """Commit that the requests of all that is prepared may be on their way, then let them go."""
        if not self.prepared:
            return
        begun = {row.pk for row in begin_many([publication for publication, _ in self.prepared])}
        ready, self.prepared = self.prepared, []
        for publication, payload in ready:
            if publication.pk in begun:
                call = network_named(publication.network).send
                self.submit(publication, call, publication, payload, then=sent, otherwise=outcomes.record_step_error)

    def publish(self) -> None:
        """Record the proofs; one by one when one of them belongs to another publication."""
        if not self.proofs:
            return
        try:
            publish_many(self.proofs)
        except IntegrityError:
            for publication, receipt in self.proofs:
                self.attempt(sent, publication, receipt)
        self.settled_count += len(self.proofs)
        self.proofs = []

    def settle(self, step: Step, future: Future[Any]) -> None:
        error = future.exception()
        if error is None:
            self.attempt(step.then, step.publication, future.result())
        elif isinstance(error, Exception):
            self.attempt(step.otherwise, step.publication, error)

    def start(self, publication: Publication) -> None:
        """Take the first step that a claimed row needs."""
        account = publication.account
        network = network_named(publication.network)
        if publication.status == Status.QUEUED and account.owner_id != publication.owner_id:
            return self.attempt(outcomes.record_disowned, publication)
        if not account.is_active and not may_still_read_back(publication):
            error = NeedsReconnect("The account has to be connected again.")
            return self.attempt(outcomes.park, publication, error)
        if accounts.wants_refresh(account):
            if not accounts.take_refresh_lease(account=account):
                return self.attempt(wait_for_refresh, publication)
            return self.submit(publication, network.refresh, account, then=self.refreshed, otherwise=refresh_failed)
        if publication.status == Status.UNKNOWN:
            taken = Publication.objects.taken_on(publication)
            return self.submit(
                publication,
                network.find,
                publication,
                taken=taken,
                then=found,
                otherwise=outcomes.record_read_back_error,
            )
        if not publication.image:
            return self.prepared.append((publication, {}))
        return self.submit(
            publication, network.prepare, publication, then=prepared, otherwise=outcomes.record_step_error
        )

    def refreshed(self, publication: Publication, credentials: Any) -> None:
        if accounts.save_credentials(account=publication.account, credentials=credentials):
            self.start(publication)

    def attempt(self, action: Callable[..., None], publication: Publication, *arguments: Any) -> None:
        before = publication.status
        try:
            action(publication, *arguments)
        except Overtaken:
            # Cancelled, or the lease went to another worker: the row is theirs.
            pass
        except (OperationalError, InterfaceError):
            # Rolled back: the row is where it was.
            publication.status = before
            raise

    def submit(
        self,
        publication: Publication,
        call: Callable[..., Any],
        *arguments: Any,
        then: Callable[[Publication, Any], None],
        otherwise: Callable[[Publication, Exception], None],
        **options: Any,
    ) -> None:
        pool = self.pools.get(publication.network)
        if pool is None:
            threads = network_named(publication.network).concurrency
            pool = self.pools[publication.network] = ThreadPoolExecutor(threads, publication.network)
        future = pool.submit(call, *arguments, **options)
        self.steps[future] = Step(publication, then, otherwise, time.monotonic() + GIVE_UP_SECONDS)


def may_still_read_back(publication: Publication) -> bool:
    """Whether the owner has left while a text was on its way: the token is kept for its outcome alone."""
    account = publication.account
    is_left = account.state == account.State.DISCONNECTED and bool(account.access_token)
    return is_left and publication.status == Status.UNKNOWN


def prepared(publication: Publication, payload: dict[str, Any]) -> None:
    """Mark what a prepared row goes on with: `Worker.send` takes all of them at once."""
    raise NotImplementedError


def sent(publication: Publication, receipt: Any) -> None:
    outcomes.record_published(publication, receipt, reason="Accepted by the network")


def found(publication: Publication, receipt: Any) -> None:
    if receipt is None:
        outcomes.record_absent(publication)
    else:
        outcomes.record_published(publication, receipt, reason="Read back: it is there")


def wait_for_refresh(publication: Publication) -> None:
    """Put a row back for a second: somebody else is refreshing the account's token."""
    Publication.objects.filter(pk=publication.pk, fence=publication.fence).put_back(seconds=1)


def refresh_failed(publication: Publication, error: Exception) -> None:
    if isinstance(error, NeedsReconnect):
        outcomes.park(publication, error)
    else:
        accounts.release_refresh_lease(account=publication.account)
        Publication.objects.filter(pk=publication.pk, fence=publication.fence).put_back(seconds=5)
