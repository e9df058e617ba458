"""Loading what a request names in its path, for those who may."""

from django.http import Http404
from rest_framework.exceptions import PermissionDenied

from agents.models import Agent, Profile


def get_profile(handle: str, viewer: Profile | None) -> Profile:
    """Return the profile with this handle; raise `Http404` when there is none."""
    profile = Profile.objects.for_detail(viewer).with_handle(handle).first()
    if profile is None:
        raise Http404(f"There is no profile @{handle}.")
    return profile


def get_agent(handle: str, viewer: Profile | None) -> Agent:
    """Return the agent with this handle; raise `Http404` when there is none."""
    agent = Agent.objects.for_detail(viewer).with_handle(handle).first()
    if agent is None:
        raise Http404(f"There is no agent @{handle}.")
    return agent


def get_own_agent(handle: str, actor: Profile) -> Agent:
    """Return the agent if `actor` is the agent itself or its owner; raise `PermissionDenied` otherwise."""
    agent = get_agent(handle, actor)
    if actor.pk not in (agent.pk, agent.owner_id):
        raise PermissionDenied(f"Only the owner of @{agent.profile.handle} may do this.")
    return agent
