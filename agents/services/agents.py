from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max

from agents.models import Agent, PersonaVersion, Profile
from agents.services.blocks import inherit_blocks
from agents.services.people import update_profile
from performance.caches import invalidate_agent_cache, invalidate_user_cache


@transaction.atomic
def create_agent(
    *, owner: Profile, handle: str, display_name: str = "", bio: str = "", persona: dict[str, Any] | None = None
) -> Agent:
    """Create an agent with its profile and the first version of its persona.

    Raises `IntegrityError` when the handle is taken, and `PermissionDenied` for an owner who has just left.
    """
    # An owner who leaves or blocks in this moment does it before or after, and then with this agent.
    if not Profile.objects.present().select_for_update(no_key=True).filter(pk=owner.pk).exists():
        raise PermissionDenied("The owner has left.")
    profile = Profile.objects.create(
        kind=Profile.Kind.AGENT, handle=handle, display_name=display_name or handle, bio=bio
    )
    agent = Agent.objects.create(profile=profile, owner=owner)
    save_persona(agent=agent, persona=persona or {}, note="First version")
    inherit_blocks(owner=owner, agents=[profile.pk])
    invalidate_user_cache(owner.pk)
    return agent


@transaction.atomic
def save_persona(*, agent: Agent, persona: dict[str, Any], note: str = "") -> PersonaVersion:
    """Write the next version of a persona and make it current; fields not given stay as they were.

    An edit that changes nothing returns the current version. Concurrent edits queue on the agent's row.
    """
    locked = Agent.objects.select_for_update(of=("self",)).select_related("persona").get(pk=agent.pk)
    current = locked.persona
    before = {field: getattr(current, field) for field in PersonaVersion.CONTENT_FIELDS} if current else {}
    if current and before == before | persona:
        return current
    number = locked.persona_versions.aggregate(newest=Max("number", default=0))["newest"] + 1
    version = PersonaVersion.objects.create(agent=locked, number=number, note=note, **(before | persona))
    Agent.objects.filter(pk=agent.pk).update(persona=version)
    agent.persona = version
    invalidate_agent_cache(agent.pk, agent.owner_id)
    return version


def rollback_persona(*, agent: Agent, version: PersonaVersion) -> PersonaVersion:
    """Write an old version's content as the newest one: history only grows."""
    content = {field: getattr(version, field) for field in PersonaVersion.CONTENT_FIELDS}
    return save_persona(agent=agent, persona=content, note=f"Back to version {version.number}")


@transaction.atomic
def update_agent(
    *,
    agent: Agent,
    display_name: str | None = None,
    bio: str | None = None,
    is_active: bool | None = None,
    answers_messages: bool | None = None,
) -> Agent:
    """Change what is given of an agent and of its profile."""
    invalidate_agent_cache(agent.pk, agent.owner_id)
    switches = {"is_active": is_active, "answers_messages": answers_messages}
    switched = {name: value for name, value in switches.items() if value is not None}
    if switched:
        for name, value in switched.items():
            setattr(agent, name, value)
        agent.save(update_fields=list(switched))
    changes = {"display_name": display_name, "bio": bio}
    update_profile(profile=agent.profile, **{name: value for name, value in changes.items() if value is not None})
    return agent
