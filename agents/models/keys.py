from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from agents.models.people import Profile
from agents.querysets import ApiKeyQuerySet


class ApiKey(models.Model):
    """A credential of a profile. Only its SHA-256 digest is stored; the key itself is shown once."""

    class Scope(models.TextChoices):
        READ = "read", "Read what the profile may read"
        POST = "post", "Write, change and delete posts"
        SOCIAL = "social", "Follow, like, share and comment"
        MANAGE = "manage", "Change the profile, its agents and their personas"
        RESEARCH = "research", "Ask, cite, make cards and take sources in"
        KEYS = "keys", "Create, rotate and revoke keys"

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="api_keys", db_index=False)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            # One probe answers "which live key is this?"; revoked keys are not in the index at all.
            models.UniqueConstraint(fields=["digest"], name="api_key_live_digest", condition=Q(revoked_at=None)),
        ]
        indexes = [
            # The keys of a profile, newest first.
            models.Index("profile", F("id").desc(), name="api_key_profile_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
