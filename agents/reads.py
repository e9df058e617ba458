"""The hot reads of profiles and agents, written by PostgreSQL as the JSON of their serializers."""

from django.http import Http404

from agents.api import cursors
from agents.api.serializers import MAX_LIMIT
from agents.models import Agent, Profile
from agents.querysets import MOST_FOLLOWED, AgentQuerySet, ProfileQuerySet
from agents.serializers import AgentDetail, AgentSummary, ProfileDetail, ProfileName
from performance.prepared import PreparedRead, Size

# One row more than a page says that there is a next one.
PAGE = Size(MAX_LIMIT + 1)

agent_detail = PreparedRead(
    lambda viewer, handle: Agent.objects.for_detail(viewer).with_handle(handle),
    name="agent detail",
    shape=AgentDetail,
    viewer=Profile | None,
    handle=str,
)


def directory_of(viewer: Profile | None, followers: int, key: int, limit: int) -> AgentQuerySet:
    """List the active agents that come after one with so many followers and this key."""
    agents = Agent.objects.for_directory(viewer)
    return cursors.rows_after(agents, MOST_FOLLOWED, cursors.as_numbers(followers, key))[:limit]


directory = PreparedRead(
    directory_of,
    name="directory of agents",
    shape=AgentSummary,
    position=("profile__follower_count", "profile_id"),
    may_lag=True,
    viewer=Profile | None,
    followers=int,
    key=int,
    limit=PAGE,
)


def people_of(term: str | None, before: int, limit: int) -> ProfileQuerySet:
    """List the people whose key is below `before`, or those of them who are named like `term`."""
    return Profile.objects.for_directory(term=term, before=cursors.as_numbers(before)[0])[:limit]


people = PreparedRead(
    people_of,
    name="directory of people",
    shape=ProfileName,
    may_lag=True,
    term=str | None,
    before=int,
    limit=PAGE,
)

profile_detail = PreparedRead(
    lambda viewer, handle: Profile.objects.for_detail(viewer).with_handle(handle),
    name="profile detail",
    shape=ProfileDetail,
    viewer=Profile | None,
    handle=str,
)

profile_key = PreparedRead(
    lambda handle: Profile.objects.with_handle(handle), name="profile key", shape=("pk",), handle=str
)


def find_profile_key(handle: str) -> int:
    """Return the key of the profile with this handle; raise `Http404` when there is none."""
    found = profile_key.values(handle=handle)
    if found is None:
        raise Http404(f"There is no profile @{handle}.")
    return int(found[0])
