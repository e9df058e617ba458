from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from agents.models import Profile
from posts.models import Post
from posts.publishing.models.accounts import SocialAccount
from posts.publishing.models.publications import Publication
from posts.publishing.querysets import RecurringPostQuerySet

MAX_TEXTS = 50


class RecurringPost(models.Model):
    """A text that goes out again and again; with several texts an evergreen, which takes them in turn."""

    owner = models.ForeignKey(Profile, models.CASCADE, related_name="recurring_posts", db_index=False)
    author = models.ForeignKey(Profile, models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(SocialAccount, models.CASCADE, related_name="recurring_posts", db_index=False)
    # Whose image goes along, if any.
    post = models.ForeignKey(Post, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    texts = ArrayField(models.TextField(max_length=100_000), size=MAX_TEXTS)
    # Calendar days and a wall clock in a named zone: 09:00 stays 09:00 when the clocks change.
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    every_days = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(366)])
    local_time = models.TimeField()
    time_zone = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True)
    # Why the next occurrence has not been scheduled yet, in words for its owner.
    problem = models.CharField(max_length=300, blank=True, editable=False)

    next_number = models.PositiveIntegerField(default=0, editable=False)
    next_at = models.DateTimeField(null=True, editable=False)
    # When a scheduler has to look at the row: some days before `next_at`, later while there is a problem.
    look_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RecurringPostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(every_days__gte=1), name="recurring_post_moves_on"),
        ]
        indexes = [
            # What the scheduler looks for, every minute.
            models.Index(
                fields=["look_at"], name="recurring_post_due", condition=Q(is_active=True, look_at__isnull=False)
            ),
            # A person's recurring posts, newest first; also what the deletion of a profile walks.
            models.Index("owner", F("id").desc(), name="recurring_post_owner_newest"),
            models.Index("author", F("id").desc(), name="recurring_post_author_newest"),
            # Deleting an account or a post looks for what needs it.
            models.Index("account", name="recurring_post_account"),
            models.Index("post", name="recurring_post_post", condition=Q(post__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.pk} on {self.account_id} every {self.every_days} days"


class Occurrence(models.Model):
    """One turn of a recurring post. The unique row is the claim: one scheduler gets it, however many look."""

    recurring_post = models.ForeignKey(RecurringPost, models.CASCADE, related_name="occurrences", db_index=False)
    number = models.PositiveIntegerField()
    moment = models.DateTimeField()
    # Null for a turn that passed while the house was down or could not be scheduled; `reason` says which.
    publication = models.OneToOneField(Publication, models.SET_NULL, null=True, related_name="occurrence")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            # Also the index behind "the turns of this recurring post", in order.
            models.UniqueConstraint(fields=["recurring_post", "number"], name="occurrence_once"),
        ]

    def __str__(self) -> str:
        return f"{self.recurring_post_id}, turn {self.number}"
