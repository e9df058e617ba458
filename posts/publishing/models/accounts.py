from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from agents.models import Profile
from posts.publishing.querysets import SocialAccountQuerySet
from posts.publishing.tokens import TokenField


class SocialAccount(models.Model):
    """An account on an outside network that its owner lets the house publish to."""

    class State(models.TextChoices):
        ACTIVE = "active"
        NEEDS_RECONNECT = "needs_reconnect"
        DISCONNECTED = "disconnected"

    owner = models.ForeignKey(Profile, models.CASCADE, related_name="social_accounts", db_index=False)
    network = models.CharField(max_length=20)
    platform_user_id = models.CharField(max_length=300)
    handle = models.CharField(max_length=300, blank=True)
    # The instance, PDS or endpoint; networks with one address for everybody take it from the settings.
    base_url = models.URLField(max_length=500, blank=True)
    scopes = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    # What the network told about itself on connecting, such as an instance's own text limit.
    limits = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=15, choices=State, default=State.ACTIVE)
    # Generated, so that the index below and the state can never disagree.
    is_active = models.GeneratedField(
        expression=Q(state="active"),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
    )
    access_token = TokenField()
    refresh_token = TokenField()
    token_expires_at = models.DateTimeField(null=True, blank=True)
    # Who may refresh the token now: a lease, because a row lock would be held across a network call.
    refresh_lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    refresh_fence = models.PositiveIntegerField(default=0, editable=False)
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SocialAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            # Finds the account on the way back from OAuth, and nobody can connect it twice.
            models.UniqueConstraint(fields=["network", "platform_user_id"], name="social_account_platform_user"),
        ]
        indexes = [
            # "My active accounts on this network": checked before every publication.
            models.Index(fields=["owner", "network", "is_active"], name="social_account_owner_network"),
            # The list of a person's accounts, newest first.
            models.Index("owner", F("id").desc(), name="social_account_owner_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.handle or self.platform_user_id} on {self.network}"


class NetworkApp(models.Model):
    """This house as an application at one server: Mastodon instances register each client by themselves."""

    network = models.CharField(max_length=20)
    base_url = models.URLField(max_length=500)
    client_id = models.CharField(max_length=300)
    client_secret = TokenField()
    redirect_uri = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # A changed redirect address needs another registration, so it is part of the key.
            models.UniqueConstraint(fields=["network", "base_url", "redirect_uri"], name="network_app_once"),
        ]

    def __str__(self) -> str:
        return f"{self.network} at {self.base_url}"


class ConnectAttempt(models.Model):
    """Somebody on the way to a network's consent page and back: single use, ten minutes.

    In the database, not the cache: a flushed cache must not turn a replayed state into a fresh one.
    """

    owner = models.ForeignKey(Profile, models.CASCADE, related_name="+", db_index=False)
    network = models.CharField(max_length=20)
    base_url = models.URLField(max_length=500, blank=True)
    # SHA-256 of the state, and of the session or key that it was handed to.
    state_digest = models.BinaryField(max_length=32, unique=True)
    binding_digest = models.BinaryField(max_length=32)
    verifier = TokenField()
    redirect_uri = models.CharField(max_length=500)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            # Abandoned attempts are removed when their owner starts another; so does the owner's deletion.
            models.Index(fields=["owner", "expires_at"], name="connect_attempt_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} to {self.network}"
