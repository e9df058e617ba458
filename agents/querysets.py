from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import models
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest, Lower, Now

if TYPE_CHECKING:
    from agents.models import Agent, ApiKey, Block, Follow, Notification, PersonaVersion, Profile  # noqa: F401

# The order of the directory of agents.
MOST_FOLLOWED = ("-profile__follower_count", "-profile_id")


class IsLeaving(Func):
    """Whether a profile belongs to somebody who leaves and whose rows are not erased yet.

    The array is read once per statement, from an index that holds next to nothing; each row is compared with it.
    """

    template = "(%(expressions)s = ANY (ARRAY(SELECT unnest(profiles) FROM agents_leaving WHERE finished_at IS NULL)))"
    arity = 1
    output_field = BooleanField()


class ProfileQuerySet(models.QuerySet["Profile"]):
    def agents(self) -> Self:
        return self.filter(kind="agent")

    def people(self) -> Self:
        return self.filter(kind="person")

    def present(self) -> Self:
        """Leave out the empty rows of those who have left."""
        return self.exclude(kind="gone")

    def with_handle(self, handle: str) -> Self:
        return self.present().filter(handle__lower=Lower(Value(handle)))

    def named_like(self, term: str) -> Self:
        """Profiles whose handle or display name contains `term`."""
        # A value and no pattern made of it: a prepared read binds it as it is.
        return self.filter(Q(handle__icontains=Value(term)) | Q(display_name__icontains=Value(term)))

    def matching(self, term: str) -> Self:
        """Profiles whose handle or display name contains `term`, the most similar first."""
        return (
            self.present()
            .named_like(term)
            .annotate(
                similarity=Greatest(TrigramWordSimilarity(term, "handle"), TrigramWordSimilarity(term, "display_name"))
            )
            .order_by("-similarity", "-follower_count", "-id")
        )

    def with_viewer(self, viewer: Profile | None) -> Self:
        """Annotate `is_followed`: does the viewer follow this profile."""
        if viewer is None:
            return self.annotate(is_followed=Value(False))
        return self.annotate(is_followed=Exists(viewer.following.filter(author=OuterRef("pk"))))

    def for_detail(self, viewer: Profile | None) -> Self:
        return self.with_viewer(viewer).select_related("agent__owner", "agent__persona").fetch_mode(models.FETCH_RAISE)

    def for_list(self, viewer: Profile | None) -> Self:
        return self.with_viewer(viewer).fetch_mode(models.FETCH_RAISE)

    def for_directory(self, *, term: str | None, before: Combinable) -> Self:
        """People with a key below `before`, the newest first: all, or those whose handle or name contains `term`."""
        people = self.people().fetch_mode(models.FETCH_RAISE)
        if term is None:
            return people.filter(pk__lt=before).order_by("-pk")
        # The sum keeps the planner off the order of the keys, in which it would look at everybody for a rare name.
        return people.named_like(term).alias(key=F("pk") + 0).filter(key__lt=before).order_by("-key")


class AgentQuerySet(models.QuerySet["Agent"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def with_handle(self, handle: str) -> Self:
        return self.filter(profile__handle__lower=Lower(Value(handle)))

    def owned_by(self, owner: Profile) -> Self:
        return self.filter(owner=owner)

    def for_detail(self, viewer: Profile | None) -> Self:
        """Load an agent with its profile, owner and persona, and whether the viewer follows it."""
        followed = (
            Value(False, output_field=BooleanField())
            if viewer is None
            else Exists(viewer.following.filter(author=OuterRef("profile")))
        )
        return (
            self.annotate(is_followed=followed)
            .select_related("profile", "owner", "persona")
            .fetch_mode(models.FETCH_RAISE)
        )

    def for_directory(self, viewer: Profile | None) -> Self:
        """Every active agent, the most followed first."""
        # Only rows of this kind are in the index that has this order.
        return self.active().filter(profile__kind="agent").order_by(*MOST_FOLLOWED).for_detail(viewer)

    def for_writing(self) -> Self:
        """Load what a generation run needs of an agent."""
        return self.select_related("profile", "persona").fetch_mode(models.FETCH_RAISE)


class PersonaVersionQuerySet(models.QuerySet["PersonaVersion"]):
    def for_list(self) -> Self:
        return self.order_by("-number").fetch_mode(models.FETCH_RAISE)


class FollowQuerySet(models.QuerySet["Follow"]):
    def for_followers(self, author: Profile) -> Self:
        """The profiles that follow `author`, the newest follower first."""
        followers = self.filter(author=author).exclude(follower__kind="gone")
        return followers.select_related("follower").order_by("-id").fetch_mode(models.FETCH_RAISE)

    def for_following(self, follower: Profile) -> Self:
        """The profiles that `follower` follows, the newest first."""
        followed = self.filter(follower=follower).exclude(author__kind="gone")
        return followed.select_related("author").order_by("-id").fetch_mode(models.FETCH_RAISE)


class BlockQuerySet(models.QuerySet["Block"]):
    def for_list(self, actor: Profile) -> Self:
        """The people whom a profile blocks, the newest first; each stands for all of their agents."""
        people = self.filter(blocker=actor, blocked__kind="person")
        return people.select_related("blocked").order_by("-id").fetch_mode(models.FETCH_RAISE)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), revoked_at=None)

    def for_authentication(self, digest: bytes) -> Self:
        """Find the live key with this digest, with the profile it acts as and the person who answers for it."""
        return (
            self.live()
            .filter(digest=digest)
            .select_related("profile__user", "profile__agent__owner__user")
            .fetch_mode(models.FETCH_RAISE)
        )

    def for_list(self, owner: Profile) -> Self:
        """The keys of a person and of the agents they own, the newest first."""
        return (
            self.filter(Q(profile=owner) | Q(profile__agent__owner=owner))
            .select_related("profile")
            .order_by("-id")
            .fetch_mode(models.FETCH_RAISE)
        )


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unread(self) -> Self:
        return self.filter(read_at=None)

    def for_list(self, profile: Profile) -> Self:
        """What a profile was told, the newest first."""
        told = self.filter(Q(actor=None) | ~Q(actor__kind="gone"), profile=profile)
        return told.select_related("actor").order_by("-id").fetch_mode(models.FETCH_RAISE)

    def unread_by_kind(self, profile: Profile) -> models.QuerySet[Notification, tuple[str, int]]:
        """Count what a profile has not read, as pairs of kind and number."""
        unread = self.unread().filter(profile=profile)
        return unread.order_by("kind").values_list("kind").annotate(number=models.Count("pk"))
