"""Access tokens run out at any moment; nothing is lost, nothing is sent twice, one refresh is enough."""

from datetime import timedelta

import pytest
from django.utils import timezone

from posts.publishing.models import AccountEvent
from posts.publishing.networks.base import Credentials
from posts.publishing.services import accounts
from posts.publishing.services.accounts import release_parked, take_refresh_lease
from posts.publishing.states import Status
from posts.publishing.tokens import Token
from posts.publishing.worker import Worker
from tests.concurrency import run_together
from tests.networks.server import NetworkServer
from tests.networks.speakers import BlueskySpeaker, LinkedInSpeaker, MastodonSpeaker, XSpeaker
from tests.posts.publishing.test_never_twice_never_lost import MakeAccount
from tests.publishing import make_publication, publish_all

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_token_that_runs_out_while_publishing_is_refreshed_and_the_post_goes_out_once(
    networks: NetworkServer, bluesky: BlueskySpeaker, account_on: MakeAccount
) -> None:
    bluesky.tokens = {"new"}
    account = account_on("bluesky", refresh_token=Token.seal("refresh"))
    publication = make_publication(account=account)
    publish_all()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert len(bluesky.posts) == bluesky.refreshes == 1


def test_an_answer_without_a_refresh_token_never_wipes_the_old_one(
    networks: NetworkServer, x: XSpeaker, account_on: MakeAccount
) -> None:
    account = account_on(
        "x", refresh_token=Token.seal("keep me"), token_expires_at=timezone.now() + timedelta(seconds=30)
    )
    make_publication(account=account)
    publish_all()
    account.refresh_from_db()
    assert x.refreshes == 1
    assert account.refresh_token.reveal() == "keep me"
    assert account.access_token.reveal() != "token"
    assert account.token_expires_at is not None and account.token_expires_at > timezone.now() + timedelta(hours=1)


def test_twenty_workers_at_expiry_make_one_refresh_and_nobody_is_disconnected(
    networks: NetworkServer, x: XSpeaker, account_on: MakeAccount
) -> None:
    account = account_on("x", refresh_token=Token.seal("refresh"), token_expires_at=timezone.now())
    x.tokens = set()
    for number in range(20):
        make_publication(account=account, text=f"Bird {number}")
    networks.delay_seconds = 0.05
    run_together(20, lambda _: Worker(networks=["x"]).run(seconds=5))
    publish_all()
    account.refresh_from_db()
    assert x.refreshes == 1
    assert account.state == "active"
    assert sorted(x.texts()) == sorted(f"Bird {number}" for number in range(20))


def test_twenty_takers_get_one_lease(account_on: MakeAccount) -> None:
    account = account_on("x", refresh_token=Token.seal("refresh"))
    assert sum(run_together(20, lambda _: take_refresh_lease(account=type(account).objects.get()))) == 1


def test_a_refresh_that_comes_after_its_lease_went_to_another_writes_nothing(account_on: MakeAccount) -> None:
    late = account_on("x", refresh_token=Token.seal("refresh"))
    assert take_refresh_lease(account=late)
    type(late).objects.update(refresh_lease_until=timezone.now() - timedelta(seconds=1))
    other = type(late).objects.get()
    assert take_refresh_lease(account=other)
    credentials = Credentials("late", "late")
    assert not accounts.save_credentials(account=late, credentials=credentials)
    assert type(late).objects.get().access_token.reveal() == "token"


def test_a_revoked_refresh_token_asks_the_owner_once_and_parks_what_is_due(
    networks: NetworkServer, x: XSpeaker, account_on: MakeAccount
) -> None:
    account = account_on("x", refresh_token=Token.seal("revoked"), token_expires_at=timezone.now())
    for number in range(5):
        make_publication(account=account, text=f"Bird {number}")
    publish_all()
    account.refresh_from_db()
    assert account.state == "needs_reconnect"
    assert AccountEvent.objects.filter(kind="needs_reconnect").count() == 1
    assert account.publications.filter(status=Status.QUEUED, due_at=None).count() == 5

    type(account).objects.update(state="active", access_token=Token.seal("new"), token_expires_at=None)
    assert release_parked(account=account) == 5
    publish_all()
    assert len(x.posts) == 5


def test_a_401_without_a_refresh_token_needs_the_owner(
    networks: NetworkServer, mastodon: MastodonSpeaker, account_on: MakeAccount
) -> None:
    mastodon.tokens = set()
    account = account_on("mastodon")
    make_publication(account=account)
    publish_all()
    account.refresh_from_db()
    assert account.state == "needs_reconnect"
    assert mastodon.posts == []


def test_a_sunset_api_version_needs_the_owner(
    networks: NetworkServer, linkedin: LinkedInSpeaker, account_on: MakeAccount
) -> None:
    linkedin.sunset = True
    account = account_on("linkedin")
    make_publication(account=account)
    publish_all()
    account.refresh_from_db()
    assert account.state == "needs_reconnect"
