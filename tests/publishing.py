"""Accounts and publications for tests."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from agents.models import Profile
from posts.models import Post
from posts.publishing.models import Publication, RecurringPost, SocialAccount
from posts.publishing.services.publications import create_publication, draft_for
from posts.publishing.services.recurring import Rhythm, create_recurring_post
from posts.publishing.tokens import Token
from posts.publishing.worker import Worker
from tests.factories import make_person

USER_IDS = {
    "mastodon": "7",
    "bluesky": "did:plc:wren",
    "x": "99",
    "linkedin": "urn:li:organization:5",
    "facebook": "page",
    "instagram": "gram",
    "webhook": "hook",
}


def make_account(*, owner: Profile | None = None, network: str = "mastodon", **fields: Any) -> SocialAccount:
    scopes = ["r_organization_social"] if network == "linkedin" else []
    fields = {
        "platform_user_id": USER_IDS[network],
        "handle": "wren",
        "scopes": scopes,
        "access_token": Token.seal("token"),
    } | fields
    return SocialAccount.objects.create(owner=owner or make_person(), network=network, **fields)


def make_publication(
    *,
    account: SocialAccount | None = None,
    text: str = "A small bird sang.",
    post: Post | None = None,
    scheduled_at: datetime | None = None,
    split: bool = False,
    needs_approval: bool = False,
) -> Publication:
    account = account or make_account()
    return create_publication(
        author=account.owner,
        draft=draft_for(account=account, body=text, post=post, split=split),
        post=post,
        scheduled_at=scheduled_at,
        needs_approval=needs_approval,
    )


def make_recurring_post(
    *, account: SocialAccount | None = None, texts: Sequence[str] = ("Good morning.",), **rhythm: Any
) -> RecurringPost:
    """Make one that comes every day, beginning in 25 hours: six turns within a week, whatever time it is now."""
    account = account or make_account()
    first = timezone.now() + timedelta(hours=25)
    rhythm = {
        "starts_on": first.date(),
        "every_days": 1,
        "local_time": time(first.hour, first.minute),
        "time_zone": "UTC",
    } | rhythm
    row, _ = create_recurring_post(author=account.owner, account=account, texts=texts, rhythm=Rhythm(**rhythm))
    return row


def publish_all(rounds: int = 5) -> None:
    """Run a worker until nothing is in hand, making what waits for a back-off or a lease due at once."""
    for _ in range(rounds):
        Worker(networks=["mastodon", "bluesky", "x", "linkedin", "facebook", "instagram", "webhook"]).run(seconds=10)
        waiting = Publication.objects.filter(due_at__isnull=False, lease_until=None)
        if not waiting.exclude(scheduled_at__gt=timezone.now()).update(due_at=timezone.now() - timedelta(seconds=1)):
            return
