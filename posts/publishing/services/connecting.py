"""Connect accounts: consent pages with PKCE, app passwords, signed addresses."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from agents.knowledge.fetching.addresses import ForbiddenAddress, is_number, may_connect, target_of
from agents.models import Profile
from posts.publishing.models import ConnectAttempt, NetworkApp, Publication, SocialAccount
from posts.publishing.networks import network_named
from posts.publishing.networks.base import Credentials, Identity
from posts.publishing.networks.bluesky import Bluesky
from posts.publishing.networks.errors import NeedsReconnect, NetworkError
from posts.publishing.networks.mastodon import Mastodon
from posts.publishing.networks.oauth import OAuthNetwork, new_verifier
from posts.publishing.services.accounts import release_parked
from posts.publishing.services.transitions import advance_all
from posts.publishing.states import OPEN, Status
from posts.publishing.tokens import Secret, Token

ATTEMPT_LIFETIME = timedelta(minutes=10)


class NotConnected(Exception):
    """An account could not be connected; the message says why and is fit to be shown."""


@contextmanager
def understood(who: str = "") -> Iterator[None]:
    """Raise `NotConnected` for an error of a network, and for an answer that lacks what its documentation names."""
    try:
        yield
    except NetworkError as error:
        raise NotConnected(f"{who}{error}") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise NotConnected(f"{who}The network's answer cannot be understood.") from error


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def checked_address(url: str) -> str:
    """Return scheme and host of a server's address, and its path without a trailing slash.

    Raises `ValidationError` for anything but a plain http(s) address, and for the number of a host that is not on the
    public internet. What a name stands for is checked whenever it is connected to.
    """
    try:
        target = target_of(url)
    except ForbiddenAddress as error:
        raise ValidationError(f"{error} Give an address such as https://social.example.", code="address") from error
    if "#" in url:
        raise ValidationError("Give an address such as https://social.example.", code="address")
    if target.scheme == "http" and not settings.FETCH_ALLOWED_NETWORKS:
        raise ValidationError("Only https addresses are used.", code="address")
    if is_number(target.host) and not may_connect(target.host):
        raise ValidationError("This host is not on the public internet.", code="address")
    return url.rstrip("/")


def start_consent(*, owner: Profile, network: OAuthNetwork, base_url: str, binding: str) -> str:
    """Return the address of a network's consent page, for the session or key that `binding` names."""
    redirect_uri = f"{settings.PUBLIC_URL}/api/accounts/callback/{network.name}"
    if isinstance(network, Mastodon):
        base_url = base_url or settings.NETWORK_URLS["mastodon"]
    client_id, _ = _client(network, base_url, redirect_uri)
    if not client_id:
        raise NotConnected(f"This house is not registered with {network.label} yet; docs/operations.md says how.")
    state, verifier = secrets.token_urlsafe(32), new_verifier()
    ConnectAttempt.objects.filter(owner=owner, expires_at__lt=Now()).delete()
    ConnectAttempt.objects.create(
        owner=owner,
        network=network.name,
        base_url=base_url,
        state_digest=digest(state),
        binding_digest=digest(binding),
        verifier=Token.seal(verifier),
        redirect_uri=redirect_uri,
        expires_at=timezone.now() + ATTEMPT_LIFETIME,
    )
    return network.consent_url(
        base_url=base_url, client_id=client_id, redirect_uri=redirect_uri, state=state, verifier=verifier
    )


def _client(network: OAuthNetwork, base_url: str, redirect_uri: str) -> tuple[str, str]:
    """Return this house's client id and secret at a network, registering it with a Mastodon instance."""
    if not isinstance(network, Mastodon):
        return network.app_credentials()
    known = {"network": network.name, "base_url": base_url, "redirect_uri": redirect_uri}
    app = NetworkApp.objects.filter(**known).first()
    if app is None:
        with understood(f"{base_url} does not answer as a Mastodon instance: "):
            client_id, client_secret = network.register(base_url, redirect_uri)
        # Two at once register twice; the first row wins and the other registration is never used.
        app, _ = NetworkApp.objects.get_or_create(
            **known, defaults={"client_id": client_id, "client_secret": Token.seal(client_secret)}
        )
    return app.client_id, app.client_secret.reveal()


@transaction.atomic
def _consume(*, owner: Profile, network: str, state: str, binding: str) -> ConnectAttempt:
    """Take an attempt out of the table: a state works once, for ten minutes, for the one who asked for it."""
    rows = ConnectAttempt.objects.select_for_update().filter(state_digest=digest(state), owner=owner, network=network)
    attempt = rows.filter(expires_at__gt=Now()).first()
    if attempt is None or not secrets.compare_digest(bytes(attempt.binding_digest), digest(binding)):
        raise NotConnected("This way back from the network is unknown, used or too old. Start again.")
    ConnectAttempt.objects.filter(pk=attempt.pk).delete()
    return attempt


def finish_consent(
    *, owner: Profile, network: OAuthNetwork, state: str, code: str, binding: str
) -> list[SocialAccount]:
    """Exchange what the consent page handed out and store the accounts that it speaks for."""
    attempt = _consume(owner=owner, network=network.name, state=state, binding=binding)
    client = _client(network, attempt.base_url, attempt.redirect_uri)
    with understood():
        credentials = network.exchange(
            base_url=attempt.base_url,
            client=client,
            code=code,
            redirect_uri=attempt.redirect_uri,
            verifier=attempt.verifier.reveal(),
        )
        found = list(network.identities(credentials, attempt.base_url))
    if not found:
        raise NotConnected(f"{network.label} names no account that can be published to.")
    return [
        save_account(
            owner=owner, network=network.name, base_url=attempt.base_url, identity=identity, credentials=credentials
        )
        for identity, credentials in found
    ]


def connect_bluesky(*, owner: Profile, base_url: str, identifier: str, password: Secret) -> SocialAccount:
    """Connect an account at any PDS with an app password, which is not kept."""
    network = network_named("bluesky")
    assert isinstance(network, Bluesky)
    base_url = base_url or settings.NETWORK_URLS["bluesky"]
    with understood():
        try:
            identity, credentials = network.log_in(base_url, identifier, password)
        except NeedsReconnect as error:
            raise NotConnected("The server does not know this handle and app password.") from error
    return save_account(owner=owner, network="bluesky", base_url=base_url, identity=identity, credentials=credentials)


def connect_webhook(
    *, owner: Profile, base_url: str, name: str, takes_idempotency_key: bool
) -> tuple[SocialAccount, str]:
    """Connect an address of the owner's own; return the account and the signing secret, shown once."""
    secret = f"whsec_{secrets.token_urlsafe(32)}"
    identity = Identity(
        f"{owner.pk}:{base_url}"[:300], name or base_url, {"takes_idempotency_key": takes_idempotency_key}
    )
    account = save_account(
        owner=owner, network="webhook", base_url=base_url, identity=identity, credentials=Credentials(secret)
    )
    return account, secret


@transaction.atomic
def save_account(
    *, owner: Profile, network: str, base_url: str, identity: Identity, credentials: Credentials
) -> SocialAccount:
    """Store a connected account, or revive the one it is; what waited for it goes on.

    Raises `NotConnected` when it is connected to somebody else's profile.
    """
    account, is_new = SocialAccount.objects.select_for_update(no_key=True).get_or_create(
        network=network, platform_user_id=identity.platform_user_id, defaults={"owner": owner}
    )
    if not is_new and account.owner_id != owner.pk and account.state != SocialAccount.State.DISCONNECTED:
        raise NotConnected("This account is connected to another profile already.")
    account.owner, account.base_url = owner, base_url
    account.handle, account.limits = identity.handle[:300], identity.limits
    account.scopes = list(credentials.scopes)
    account.access_token = Token.seal(credentials.access_token)
    account.refresh_token = Token.seal(credentials.refresh_token)
    account.token_expires_at = (
        timezone.now() + timedelta(seconds=credentials.expires_in) if credentials.expires_in else None
    )
    account.state = SocialAccount.State.ACTIVE
    account.refresh_lease_until = None
    account.save()
    release_parked(account=account)
    return account


@transaction.atomic
def disconnect(*, account: SocialAccount, actor: Profile) -> None:
    """Forget an account's credentials and call off what has not left; what is out stays in the history."""
    SocialAccount.objects.filter(pk=account.pk).update(
        state=SocialAccount.State.DISCONNECTED, access_token=Token(""), refresh_token=Token(""), token_expires_at=None
    )
    waiting = Publication.objects.filter(owner=account.owner_id, account=account, status__in=OPEN)
    # What is on its way at this very moment goes no further without credentials.
    advance_all(rows=waiting, to=Status.CANCELLED, actor=actor, reason="Cancelled", due_at=None, lease_until=None)
