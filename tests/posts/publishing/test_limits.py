from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from posts.publishing.models import Publication, RateBucket
from posts.publishing.networks import network_named
from posts.publishing.networks.base import Rate
from posts.publishing.services import limits
from posts.publishing.services.claims import claim_due, claim_rows
from posts.publishing.states import Status
from posts.publishing.worker import Worker
from tests.concurrency import run_together
from tests.networks.server import NetworkServer
from tests.networks.speakers import XSpeaker
from tests.posts.publishing.test_never_twice_never_lost import MakeAccount
from tests.publishing import make_account, make_publication

pytestmark = pytest.mark.django_db(transaction=True)


def test_twenty_workers_take_no_more_tokens_than_there_are() -> None:
    limits.ensure_buckets({"account:1": Rate(7, 1_000_000)})

    def take_one(_: int) -> int:
        with transaction.atomic():
            return limits.take({"account:1": 1})["account:1"][0]

    assert sum(run_together(20, take_one)) == 7


def test_those_refused_learn_when_their_turn_comes() -> None:
    limits.ensure_buckets({"account:1": Rate(2, 20)})
    with transaction.atomic():
        granted, turns = limits.take({"account:1": 4})["account:1"]
    waits = [(turn - timezone.now()).total_seconds() for turn in turns]
    assert granted == 2
    assert waits == pytest.approx([10, 20], abs=1)


def test_a_blocked_account_gets_nothing_before_the_network_said_so() -> None:
    limits.ensure_buckets({"account:1": Rate(10, 10)})
    until = timezone.now() + timedelta(minutes=5)
    limits.block(key="account:1", until=until)
    with transaction.atomic():
        assert limits.take({"account:1": 1}) == {"account:1": (0, [until])}


def test_ten_workers_claim_every_row_once() -> None:
    account = make_account()
    ids = {make_publication(account=account, text=f"Bird {number}").pk for number in range(50)}
    claimed = [
        claim.id for claims in run_together(10, lambda _: claim_rows(network="mastodon", count=9)) for claim in claims
    ]
    assert len(claimed) == len(set(claimed))
    claimed += [claim.id for claim in claim_rows(network="mastodon", count=50)]
    assert sorted(claimed) == sorted(ids)


def test_no_more_rows_are_in_hand_than_the_network_may_have_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_named("mastodon")
    monkeypatch.setattr(network, "concurrency", 5)
    account = make_account()
    for number in range(20):
        make_publication(account=account, text=f"Bird {number}")
    limits.ensure_buckets({limits.gate_key("mastodon"): Rate(5, 1)})
    batches = run_together(10, lambda _: claim_due(network=network, count=5))
    assert sum(map(len, batches)) == 5
    assert claim_due(network=network, count=5) == []


def test_rows_beyond_the_rate_limit_wait_for_their_turn_and_not_for_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_named("mastodon")
    monkeypatch.setattr(network, "rate", Rate(3, 30))
    account = make_account()
    for number in range(5):
        make_publication(account=account, text=f"Bird {number}")
    assert len(claim_due(network=network, count=10)) == 3
    waiting = Publication.objects.filter(lease_until=None).order_by("due_at").values_list("due_at", "status")
    waits = [(due_at - timezone.now()).total_seconds() for due_at, _ in waiting if due_at]
    assert waits == pytest.approx([10, 20], abs=1)


def test_a_429_is_honoured_to_the_second(networks: NetworkServer, x: XSpeaker, account_on: MakeAccount) -> None:
    account = account_on("x")
    publication = make_publication(account=account)
    reset = int((timezone.now() + timedelta(minutes=7)).timestamp())
    networks.fail("status", path="/2/tweets", status=429, headers={"x-rate-limit-reset": str(reset)})
    Worker(networks=["x"]).run(seconds=5)
    publication.refresh_from_db()
    assert publication.status == Status.QUEUED
    assert publication.due_at is not None and int(publication.due_at.timestamp()) == reset
    bucket = RateBucket.objects.get(key=limits.account_key(account.pk))
    assert bucket.blocked_until is not None and int(bucket.blocked_until.timestamp()) == reset
    assert x.posts == []
