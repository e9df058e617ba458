from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from agents.models.people import Profile


class IdempotentRequest(models.Model):
    """The stored answer to a request that carried an `Idempotency-Key` header.

    Source: draft-ietf-httpapi-idempotency-key-header. Written in the transaction of the effect itself, so
    that the effect and the memory of it exist together or not at all.
    """

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=200)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    # As it was sent, in text: jsonb would change the order of its keys.
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "key"], name="idempotent_request_once"),
        ]
        indexes = [
            # Pruning by age; rows arrive in this order, so a block-range index is enough.
            BrinIndex(fields=["created_at"], name="idempotent_request_age"),
        ]

    def __str__(self) -> str:
        return self.key
