from django.db import models
from django.db.models import F
from django.db.models.functions import Now

from agents.models import Profile
from posts.publishing.models.accounts import SocialAccount
from posts.publishing.models.publications import Publication
from posts.publishing.querysets import PublicationEventQuerySet
from posts.publishing.states import Status


class PublicationEvent(models.Model):
    """One transition of a publication: when, from what to what, who (null: the worker) and why."""

    publication = models.ForeignKey(Publication, models.CASCADE, related_name="events", db_index=False)
    from_status = models.CharField(max_length=16, choices=Status, blank=True)
    to_status = models.CharField(max_length=16, choices=Status)
    actor = models.ForeignKey(Profile, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = PublicationEventQuerySet.as_manager()

    class Meta:
        indexes = [
            # The history of one publication, in order; also what its deletion walks.
            models.Index("publication", F("id"), name="publication_event_history"),
            # Deleting a profile looks for the transitions it made.
            models.Index("actor", name="publication_event_actor", condition=models.Q(actor__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.publication_id}: {self.from_status or 'new'} -> {self.to_status}"


class AccountEvent(models.Model):
    """What happened to an account and was told to its owner."""

    account = models.ForeignKey(SocialAccount, models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=30)
    text = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            # The history of one account, newest first; also what its deletion walks.
            models.Index("account", F("id").desc(), name="account_event_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.kind}"
