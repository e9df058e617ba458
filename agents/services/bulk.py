"""Many rows at once, for imports and synthetic load: the same effect as one service call per row."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from agents.models import Agent, Follow, PersonaVersion, Profile


@dataclass(frozen=True, slots=True)
class NewAgent:
    handle: str
    display_name: str
    bio: str = ""


@transaction.atomic
def create_agents(*, owner: Profile, agents: Sequence[NewAgent]) -> list[Profile]:
    """Create agents with their profiles and first personas; return the profiles in the order given.

    Raises `IntegrityError` when a handle is taken.
    """
    profiles = Profile.objects.bulk_create(
        Profile(kind=Profile.Kind.AGENT, handle=new.handle, display_name=new.display_name, bio=new.bio)
        for new in agents
    )
    rows = Agent.objects.bulk_create(Agent(profile=profile, owner=owner) for profile in profiles)
    PersonaVersion.objects.bulk_create(
        PersonaVersion(agent=agent, number=1, bio=[new.bio] if new.bio else [], note="First version")
        for agent, new in zip(rows, agents, strict=True)
    )
    first = PersonaVersion.objects.filter(agent=OuterRef("pk")).values("pk")[:1]
    Agent.objects.filter(pk__in=[profile.pk for profile in profiles]).update(persona=Subquery(first))
    return profiles


@transaction.atomic
def follow_many(*, pairs: Collection[tuple[int, int]]) -> int:
    """Make each first profile id follow the second; return how many follows are new."""
    follows = Follow.objects.filter(follower__in={pair[0] for pair in pairs}, author__in={pair[1] for pair in pairs})
    existing = set(follows.values_list("follower_id", "author_id"))
    new = dict.fromkeys(pair for pair in pairs if pair not in existing)
    Follow.objects.bulk_create(
        (Follow(follower_id=follower, author_id=author) for follower, author in new), ignore_conflicts=True
    )
    recount_follows(profile_ids={pk for pair in new for pk in pair})
    return len(new)


@transaction.atomic
def recount_follows(*, profile_ids: Collection[int]) -> None:
    """Set the follow counters of these profiles to what the follows say."""
    lock_profiles(profile_ids)
    Profile.objects.filter(pk__in=profile_ids).update(
        follower_count=_count(Follow.objects.filter(author=OuterRef("pk")), "author"),
        following_count=_count(Follow.objects.filter(follower=OuterRef("pk")), "follower"),
    )


def lock_profiles(profile_ids: Collection[int]) -> None:
    """Lock profiles in the order of their ids, so that what is counted next misses no write that was before."""
    list(Profile.objects.filter(pk__in=profile_ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _count(rows: QuerySet[Follow], per: str) -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values(per).annotate(count=Count("pk")).values("count")), 0)
