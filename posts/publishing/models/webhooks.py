from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from agents.models import Profile
from posts.publishing.tokens import TokenField


class WebhookEndpoint(models.Model):
    """An address that wants to know what becomes of its owner's publications."""

    class Kind(models.TextChoices):
        CREATED = "created"
        APPROVED = "approved"
        PUBLISHED = "published"
        FAILED = "failed"
        NEEDS_RECONNECT = "needs_reconnect"

    owner = models.ForeignKey(Profile, models.CASCADE, related_name="webhook_endpoints", db_index=False)
    url = models.URLField(max_length=500)
    secret = TokenField()
    kinds = ArrayField(models.CharField(max_length=15, choices=Kind), default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # Who is to be told, on every event; and the list of a person's endpoints.
            models.Index("owner", F("id").desc(), name="webhook_endpoint_owner"),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One message to one endpoint: written with the event itself, delivered at least once, kept as the log."""

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries", db_index=False)
    # The same on every attempt and replay: what the receiver tells doubles by.
    message_id = models.UUIDField()
    kind = models.CharField(max_length=15, choices=WebhookEndpoint.Kind)
    payload = models.JSONField()
    attempt = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # The claim: what is still to be delivered, oldest first.
            models.Index(fields=["due_at"], name="webhook_delivery_due", condition=Q(due_at__isnull=False)),
            # The log of an endpoint, newest first; also what its deletion walks.
            models.Index("endpoint", F("id").desc(), name="webhook_delivery_log"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.endpoint_id}"
