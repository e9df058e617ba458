"""The hot reads of profiles and agents, written by PostgreSQL as the JSON of their serializers."""

from django.http import Http404

from agents.models import Agent, Profile
from agents.serializers import AgentDetail, ProfileDetail
from performance.prepared import PreparedRead

agent_detail = PreparedRead(
    lambda viewer, handle: Agent.objects.for_detail(viewer).with_handle(handle),
    name="agent detail",
    shape=AgentDetail,
    viewer=Profile | None,
    handle=str,
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
