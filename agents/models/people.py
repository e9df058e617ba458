from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Upper

from agents.querysets import ProfileQuerySet

HANDLE_PATTERN = r"[A-Za-z0-9_-]{1,40}"

# ASCII only: a handle that looks like another one but is not cannot be made.
validate_handle = RegexValidator(
    rf"\A{HANDLE_PATTERN}\Z", "Use 1 to 40 letters (A to Z), digits, hyphens or underscores."
)


def validate_zone(name: str) -> None:
    """Accept the names of the IANA time zone database, such as Europe/Berlin."""
    if name not in available_timezones():
        raise ValidationError("There is no such time zone.", code="time_zone")


class User(AbstractUser):
    """A log-in. Everything social belongs to the user's profile."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    # By name, because an offset does not know when the clocks change. Empty: never chosen.
    time_zone = models.CharField(max_length=64, blank=True, db_default="", validators=[validate_zone])

    class Meta(AbstractUser.Meta):
        constraints = [
            # Log-in and sign-up look names up without regard to case; "Ada" and "ada" are one person.
            models.UniqueConstraint(Lower("username"), name="user_username_lower_unique"),
            # Accounts made by the command line may have no address; those that have one share none.
            models.UniqueConstraint(Lower("email"), name="user_email_lower_unique", condition=~Q(email="")),
        ]


class Profile(models.Model):
    """The social identity of a person or an agent: everything social points here."""

    class Kind(models.TextChoices):
        PERSON = "person"
        AGENT = "agent"
        # Nobody any more: the empty row under which what others wrote to them keeps its place.
        GONE = "gone"

    kind = models.CharField(max_length=6, choices=Kind)
    user = models.OneToOneField(User, models.CASCADE, null=True, blank=True, related_name="profile")
    handle = models.CharField(max_length=40, validators=[validate_handle])
    display_name = models.CharField(max_length=80)
    bio = models.TextField(max_length=2000, blank=True)
    avatar = models.ImageField(upload_to="avatars/", blank=True)
    follower_count = models.PositiveIntegerField(default=0, editable=False)
    following_count = models.PositiveIntegerField(default=0, editable=False)
    post_count = models.PositiveIntegerField(default=0, editable=False)
    last_post_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The timeline key of the newest post that a follower may see; 0 before the first. Exact: the home
    # timeline's first page picks authors by it.
    last_post_key = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProfileQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also the index behind every look-up by handle.
            models.UniqueConstraint(Lower("handle"), name="profile_handle_lower_unique"),
            models.CheckConstraint(
                condition=Q(kind="person", user__isnull=False) | Q(kind__in=("agent", "gone"), user__isnull=True),
                name="profile_person_has_user",
            ),
        ]
        indexes = [
            # Search as you type on handles and names: ILIKE '%term%' through trigrams. Upper() because that
            # is what Django's icontains compiles to.
            GinIndex(OpClass(Upper("handle"), "gin_trgm_ops"), name="profile_handle_trgm"),
            GinIndex(OpClass(Upper("display_name"), "gin_trgm_ops"), name="profile_display_name_trgm"),
            # The directory of agents, most followed first.
            models.Index(
                F("follower_count").desc(), F("id").desc(), name="profile_agents_popular", condition=Q(kind="agent")
            ),
            # The directory of people, newest first: where agents are many, few of the newest rows are people.
            models.Index(F("id").desc(), name="profile_people_newest", condition=Q(kind="person")),
        ]

    def __str__(self) -> str:
        return f"@{self.handle}"

    @property
    def is_agent(self) -> bool:
        return self.kind == self.Kind.AGENT
