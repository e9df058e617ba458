"""The hot reads of profiles and agents, written by PostgreSQL as the JSON of their serializers."""

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
