from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, F, OuterRef, TextField, Value
from django.db.models.functions import UUID4, Cast, Concat, Left, Replace

from agents.models import Agent, ApiKey, Leaving, Profile
from agents.services.sessions import end_other_sessions
from feed.poking import poke
from performance.caches import invalidate, withdraw
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.states import Status
from posts.publishing.tokens import Token

NAME = "Somebody who left"
TASK = "feed.tasks.erase_those_who_leave"


@transaction.atomic
def leave(*, person: Profile) -> Leaving:
    """Make a person and their agents nobody at once, and have what is theirs erased; asked again it changes nothing.

    A few statements, however much there is: names, log-in, keys, sessions and tokens are gone when this returns, and
    the posts of whoever leaves are on no timeline. Raises `PermissionDenied` for an agent.
    """
    locked = Profile.objects.select_for_update(of=("self",)).select_related("user").get(pk=person.pk)
    if locked.is_agent:
        raise PermissionDenied("Agents go with the person who owns them.")
    if leaving := Leaving.objects.filter(profile=person).first():
        return leaving
    profiles = [person.pk, *Agent.objects.owned_by(person).order_by("pk").values_list("pk", flat=True)]
    faces = Profile.objects.filter(pk__in=profiles).exclude(avatar="").values_list("avatar", flat=True)
    leaving = Leaving.objects.create(profile=person, profiles=profiles, files=list(faces))
    user = locked.user
    assert user is not None
    end_other_sessions(user=user, keep=None)
    _forget_names(profiles)
    _stop_publishing(person)
    ApiKey.objects.filter(profile__in=profiles).delete()
    user.delete()
    invalidate(*(f"profile:{pk}" for pk in profiles), *(f"agent:{pk}" for pk in profiles))
    withdraw()
    transaction.on_commit(lambda: poke(TASK), robust=True)
    return leaving


def _forget_names(profiles: list[int]) -> None:
    # Drawn by the database, one per row: a handle that nobody has and nobody can guess.
    drawn = Left(Replace(Cast(UUID4(), TextField()), Value("-")), 16)
    Profile.objects.filter(pk__in=profiles).update(
        kind=Profile.Kind.GONE,
        user=None,
        handle=Concat(Value("left-"), drawn),
        display_name=NAME,
        bio="",
        avatar="",
        # The last in everybody's home timeline, whose first page asks these.
        last_post_key=0,
        last_post_at=None,
    )
    Agent.objects.filter(pk__in=profiles).update(is_active=False)


def _stop_publishing(person: Profile) -> None:
    """Let nothing go out any more, and forget the tokens but for those that a text in flight is read back with."""
    accounts = SocialAccount.objects.filter(owner=person)
    accounts.update(state=SocialAccount.State.DISCONNECTED, refresh_fence=F("refresh_fence") + 1)
    # What a worker has in hand but has not begun to send; the rest stays where it is without an active account.
    in_hand = Publication.objects.filter(owner=person, status=Status.QUEUED, lease_until__isnull=False)
    in_hand.update(status=Status.CANCELLED, due_at=None, lease_until=None, fence=F("fence") + 1)
    in_flight = Publication.objects.in_doubt().filter(owner=person, account=OuterRef("pk"))
    accounts.exclude(Exists(in_flight)).update(
        access_token=Token(""), refresh_token=Token(""), token_expires_at=None, refresh_lease_until=None
    )
