"""What goes out while its owner leaves: nothing that has not begun to, and the truth about what has."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Leaving
from feed.leaving.asking import leave
from feed.leaving.running import go_on
from posts.publishing.models import LatestFigures, Publication, SocialAccount
from posts.publishing.states import Status
from tests.networks.speakers import MastodonSpeaker
from tests.publishing import make_publication, publish_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(account_on: Callable[..., SocialAccount], mastodon: MastodonSpeaker) -> SocialAccount:
    return account_on("mastodon")


def test_nothing_goes_out_of_somebody_who_has_left(mastodon: MastodonSpeaker, account: SocialAccount) -> None:
    publication = make_publication(account=account, scheduled_at=timezone.now())
    leave(person=account.owner)
    account.refresh_from_db()
    assert not account.access_token and not account.refresh_token
    Publication.objects.update(due_at=timezone.now())
    publish_all()
    publication.refresh_from_db()
    assert publication.first_sent_at is None and mastodon.texts() == []


def test_what_is_on_its_way_is_read_back_before_its_token_goes(
    mastodon: MastodonSpeaker, account: SocialAccount
) -> None:
    publication = make_publication(account=account)
    publish_all()
    LatestFigures.objects.all().delete()
    # As a worker leaves it that was killed before it heard the answer.
    Publication.objects.update(
        status=Status.SENDING, published_at=None, remote_id=None, due_at=timezone.now(), lease_until=timezone.now()
    )
    leave(person=account.owner)
    go_on(seconds=60)
    account.refresh_from_db()
    assert account.access_token and not account.is_active
    assert Leaving.objects.get().state == "waiting"
    publish_all()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED and mastodon.texts() == [publication.text]
    Leaving.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
    go_on(seconds=60)
    assert Leaving.objects.get().state == "finished"
    assert not Publication.objects.exists() and not SocialAccount.objects.exists()
