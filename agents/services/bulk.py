"""Many rows at once, for imports and synthetic load: the same effect as one service call per row."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import OuterRef, Subquery

from agents.models import Agent, Follow, PersonaVersion, Profile
from agents.services.blocks import inherit_blocks
from agents.services.counters import count_up


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
    Profile.objects.select_for_update(no_key=True).get(pk=owner.pk)
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
    inherit_blocks(owner=owner, agents=[profile.pk for profile in profiles])
    return profiles


@transaction.atomic
def follow_many(*, pairs: Collection[tuple[int, int]]) -> int:
    """Make each first profile id follow the second; return how many follows are new."""
    with connection.cursor() as cursor:
        # The ORM's bulk_create with ignore_conflicts does not tell which rows are new, and only these count.
        cursor.execute(
            f"INSERT INTO {Follow._meta.db_table} (follower_id, author_id, created_at)"
            " SELECT follower, author, now() FROM unnest(%s::bigint[], %s::bigint[]) AS pairs (follower, author)"
            " ON CONFLICT DO NOTHING RETURNING follower_id, author_id",
            [[follower for follower, _ in pairs], [author for _, author in pairs]],
        )
        new = cursor.fetchall()
    profiles = Profile.objects.filter(pk__in={pk for pair in new for pk in pair})
    # Both counters under one set of locks, taken in the order of the ids.
    list(profiles.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    count_up(rows=profiles, field="following_count", steps=Counter(follower for follower, _ in new))
    count_up(rows=profiles, field="follower_count", steps=Counter(author for _, author in new))
    return len(new)
