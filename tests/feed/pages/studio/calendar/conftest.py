from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from agents.models import Profile
from posts.publishing.models import Publication, SocialAccount
from tests.publishing import make_account, make_publication


@pytest.fixture
def account(alice: Profile) -> SocialAccount:
    return make_account(owner=alice)


@pytest.fixture
def scheduled(account: SocialAccount) -> Callable[..., Publication]:
    """Schedule a text of alice's for a moment in the coming May."""

    def make(*, day: int = 12, hour: int = 9, **fields: object) -> Publication:
        text = str(fields.pop("text", "A small bird sang."))
        publication = make_publication(account=account, text=text, scheduled_at=may(day, hour))
        Publication.objects.filter(pk=publication.pk).update(**fields)
        publication.refresh_from_db()
        return publication

    return make


def may(day: int, hour: int = 9) -> datetime:
    """Return a moment in the next May that is at least a month away."""
    now = datetime.now(UTC)
    year = now.year + (now.month > 3)
    return datetime(year, 5, day, hour, tzinfo=UTC)
