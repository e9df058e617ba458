from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from agents.models import Notification, Profile
from agents.services.notifications import notify
from posts.publishing.models import AccountEvent, Publication, SocialAccount
from posts.publishing.networks.base import Credentials
from posts.publishing.services.webhooks import announce
from posts.publishing.states import CLAIMABLE
from posts.publishing.tokens import Token

REFRESH_LEASE = timedelta(seconds=30)
# Refreshed this long before the end, so that a token does not run out on its way.
REFRESH_EARLY = timedelta(minutes=2)


def notify_owner(*, account: SocialAccount, kind: str, text: str) -> None:
    """Tell an account's owner what happened to it."""
    event = AccountEvent.objects.create(account=account, kind=kind, text=text[:300])
    notify(
        profiles=Profile.objects.filter(pk=account.owner_id),
        kind=Notification.Kind.PUBLISHING,
        actor=None,
        text=f"{account}: {text}",
        url=reverse("reader:studio"),
        key=f"account:{event.pk}",
    )


def wants_refresh(account: SocialAccount) -> bool:
    expires_at = account.token_expires_at
    return bool(account.refresh_token) and expires_at is not None and expires_at < timezone.now() + REFRESH_EARLY


def take_refresh_lease(*, account: SocialAccount) -> bool:
    """Become the only one who refreshes this account's token, for half a minute.

    A lease and not a row lock, because nothing may be locked while the network is being talked to. False when
    somebody else is at it, or has replaced the token that the caller knows.
    """
    now = timezone.now()
    taken = SocialAccount.objects.filter(
        Q(refresh_lease_until=None) | Q(refresh_lease_until__lt=now), pk=account.pk, access_token=account.access_token
    ).update(refresh_lease_until=now + REFRESH_LEASE, refresh_fence=F("refresh_fence") + 1)
    if taken:
        account.refresh_from_db(fields=["refresh_fence", "refresh_token", "refresh_lease_until"])
    return bool(taken)


def save_credentials(*, account: SocialAccount, credentials: Credentials) -> bool:
    """Store refreshed tokens, here and in `account`; an answer without a refresh token never wipes the old one.

    False, and nothing written, when the lease went to somebody else in the meantime.
    """
    changes: dict[str, Any] = {"access_token": Token.seal(credentials.access_token), "refresh_lease_until": None}
    if credentials.refresh_token:
        changes["refresh_token"] = Token.seal(credentials.refresh_token)
    changes["token_expires_at"] = (
        timezone.now() + timedelta(seconds=credentials.expires_in) if credentials.expires_in is not None else None
    )
    if not SocialAccount.objects.filter(pk=account.pk, refresh_fence=account.refresh_fence).update(**changes):
        return False
    for name, value in changes.items():
        setattr(account, name, value)
    return True


def release_refresh_lease(*, account: SocialAccount) -> None:
    """Let others try: the network could not be reached."""
    SocialAccount.objects.filter(pk=account.pk, refresh_fence=account.refresh_fence).update(refresh_lease_until=None)


def expire_token(*, account: SocialAccount) -> None:
    """Remember that a network refused the token, unless it has been replaced already."""
    SocialAccount.objects.filter(pk=account.pk, access_token=account.access_token).update(token_expires_at=Now())


@transaction.atomic
def require_reconnect(*, account: SocialAccount, reason: str) -> None:
    """Stop using an account until its owner connects it again; the owner is told once.

    Nothing happens when the token that was refused is no longer the account's.
    """
    row = SocialAccount.objects.filter(pk=account.pk, state="active", access_token=account.access_token)
    if row.update(state=SocialAccount.State.NEEDS_RECONNECT, refresh_lease_until=None):
        notify_owner(account=account, kind="needs_reconnect", text=reason)
        announce(owner_id=account.owner_id, kind="needs_reconnect", account=account.pk, reason=reason)


@transaction.atomic
def release_parked(*, account: SocialAccount) -> int:
    """Let what waited for an account to be reconnected go on; return how many rows."""
    parked = Publication.objects.filter(
        owner=account.owner_id, account=account, status__in=CLAIMABLE, due_at=None, error_class="needs_reconnect"
    )
    held = list(parked.in_lock_order().values_list("pk", flat=True))
    return Publication.objects.filter(pk__in=held).update(due_at=Now(), error_class="", error_detail="")
