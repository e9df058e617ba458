from django.db import models
from django.db.models import F, Q

from agents.models import Profile
from posts.models import Post
from posts.publishing.models.accounts import SocialAccount
from posts.publishing.querysets import PublicationQuerySet
from posts.publishing.states import CLAIMABLE, Status


class Publication(models.Model):
    """One text on its way to one account: an outbox row that is itself the truth.

    `due_at` is when a worker has to look at the row again: at its scheduled time, after a back-off, or when
    the lease of whoever holds it runs out. `fence` grows with every claim: who holds an older one cannot write.
    """

    owner = models.ForeignKey(Profile, models.CASCADE, related_name="publications", db_index=False)
    author = models.ForeignKey(Profile, models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(SocialAccount, models.RESTRICT, related_name="publications", db_index=False)
    # A copy of the account's: the claim and the analytics are per network.
    network = models.CharField(max_length=20)
    post = models.ForeignKey(Post, models.SET_NULL, null=True, blank=True, related_name="publications", db_index=False)
    # What a thread's next part answers to; a part is released when the one before it is out.
    previous = models.OneToOneField("self", models.SET_NULL, null=True, blank=True, related_name="following")
    text = models.TextField(blank=True, max_length=100_000)
    image = models.ImageField(upload_to="publications/%Y/%m/", blank=True)
    image_alt = models.CharField(max_length=2000, blank=True)

    status = models.CharField(max_length=16, choices=Status, default=Status.DRAFT, editable=False)
    scheduled_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, editable=False)
    attempt = models.PositiveSmallIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    celery_task = models.CharField(max_length=36, blank=True, editable=False)
    # SHA-256 of the text as a network gives it back: how a lost answer is recognised on reading back.
    fingerprint = models.BinaryField(max_length=32, editable=False)
    # Sent along wherever the network takes an idempotency key; the same for every attempt.
    idempotency_key = models.UUIDField(editable=False)
    # Between these two moments a request may have left the house.
    first_sent_at = models.DateTimeField(null=True, editable=False)
    last_sent_at = models.DateTimeField(null=True, editable=False)

    remote_id = models.CharField(max_length=300, null=True, editable=False)  # noqa: DJ001
    remote_url = models.URLField(max_length=500, blank=True, editable=False)
    # What the network needs to name the post again, such as a Bluesky record's CID.
    remote_data = models.JSONField(default=dict, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    error_class = models.CharField(max_length=40, blank=True, editable=False)
    error_detail = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        constraints = [
            # Two rows can never claim the same post on a network: what reading back adopts is adopted once.
            # NULL while there is none, because every unpublished row would otherwise be equal.
            models.UniqueConstraint(fields=["account", "remote_id"], name="publication_remote_once"),
            models.CheckConstraint(
                condition=~Q(status=Status.PUBLISHED) | Q(published_at__isnull=False, remote_id__isnull=False),
                name="publication_published_has_proof",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.SENDING) | Q(lease_until__isnull=False), name="publication_sending_is_leased"
            ),
        ]
        indexes = [
            # The claim, every second: what is due on a network, oldest first. Partial, so that it holds the
            # pending rows only. On `due_at` and not `scheduled_at`, which a retry or a rate limit must not move.
            models.Index(
                fields=["network", "due_at"],
                name="publication_pending_due",
                condition=Q(status__in=CLAIMABLE, due_at__isnull=False),
            ),
            # How many requests of a network are in flight: the cap is counted here, index-only.
            models.Index(
                fields=["network", "lease_until"],
                name="publication_in_flight",
                condition=Q(lease_until__isnull=False),
            ),
            # What does this Celery task hold: cancellation and post-mortems.
            models.Index(fields=["celery_task"], name="publication_celery_task", condition=~Q(celery_task="")),
            # The calendar: a person's publications of a state in a range of time.
            models.Index(fields=["owner", "status", "scheduled_at"], name="publication_calendar"),
            # Recent posts of a person, index-only for what the analytics sum.
            models.Index(
                "owner",
                F("published_at").desc(),
                name="publication_owner_published",
                include=["network", "account"],
                condition=Q(published_at__isnull=False),
            ),
            # Recent posts of a network, index-only.
            models.Index(
                "network",
                F("published_at").desc(),
                name="publication_network_published",
                include=["owner", "account"],
                condition=Q(published_at__isnull=False),
            ),
            # Everything of a person, newest first: the list, and what the deletion of a profile walks.
            models.Index("owner", F("id").desc(), name="publication_owner_newest"),
            models.Index("author", F("id").desc(), name="publication_author_newest"),
            # Deleting a post looks for where it went.
            models.Index("post", name="publication_post", condition=Q(post__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.pk} to {self.network}: {self.status}"
