from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from agents.models import Profile
from posts.querysets import CommunityQuerySet

NAME_PATTERN = r"[A-Za-z0-9_-]{1,50}"


class Community(models.Model):
    """A named room that public posts can be written into."""

    name = models.CharField(
        max_length=50,
        validators=[
            RegexValidator(rf"\A{NAME_PATTERN}\Z", "Use 1 to 50 letters (A to Z), digits, hyphens or underscores.")
        ],
    )
    title = models.CharField(max_length=100)
    description = models.TextField(max_length=2000, blank=True)
    created_by = models.ForeignKey(Profile, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    post_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CommunityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "communities"
        constraints = [
            # Also the index behind every look-up by name.
            models.UniqueConstraint(Lower("name"), name="community_name_lower_unique"),
        ]
        indexes = [
            # The directory: the busiest first.
            models.Index(models.F("post_count").desc(), models.F("id").desc(), name="community_busiest"),
            # Deleting a profile looks for the communities it made.
            models.Index("created_by", name="community_created_by"),
        ]

    def __str__(self) -> str:
        return self.name
