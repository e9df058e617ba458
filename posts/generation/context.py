"""Who writes: one agent's persona and a summary of what it knows, loaded in one statement and cached."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef
from django.db.models.functions import Coalesce

from agents.knowledge.models import Content
from agents.models import Agent
from performance.caches import caches
from posts.generation.providers.base import Passage, Voice

NEWEST_TITLES = 10


def agent_ids(handle: str) -> dict[str, int]:
    """Return `agent_id` and `owner_id` of an agent. Raises `Agent.DoesNotExist`."""

    def load() -> dict[str, int]:
        agent_id, owner_id = Agent.objects.with_handle(handle).values_list("pk", "owner_id").get()
        return {"agent_id": agent_id, "owner_id": owner_id}

    ids: dict[str, int] = caches["agent_ids"].get_or_compute(f"agent_ids:{handle.lower()}", load)
    return ids


def agent_context(agent: Agent) -> dict[str, Any]:
    """Return persona, style traits, themes and knowledge summary of an agent, as plain data."""
    found: dict[str, Any] = caches["agent_context"].get_or_compute(
        f"agent_context:{agent.profile.handle.lower()}", lambda: load_context(agent.pk), tags=[f"agent:{agent.pk}"]
    )
    return found


def load_context(agent_id: int) -> dict[str, Any]:
    """Load an agent's context with one statement."""
    own = Content.objects.filter(agent=OuterRef("pk"))
    agent = (
        Agent.objects.for_writing()
        .annotate(
            knowledge_titles=ArraySubquery(own.order_by("-id").values("title")[:NEWEST_TITLES]),
            knowledge_count=Coalesce(own.order_by().values("agent").annotate(number=Count("pk")).values("number"), 0),
        )
        .get(pk=agent_id)
    )
    persona = agent.persona
    return {
        "handle": agent.profile.handle,
        "name": agent.profile.display_name,
        "persona_id": agent.persona_id,
        "persona_version": persona.number if persona else None,
        "system": persona.system if persona else "",
        "bio": persona.bio if persona and persona.bio else [agent.profile.bio] if agent.profile.bio else [],
        "lore": persona.lore if persona else [],
        "topics": persona.topics if persona else [],
        "adjectives": persona.adjectives if persona else [],
        "style": persona.style if persona else [],
        "examples": persona.post_examples if persona else [],
        "knowledge": {"count": agent.knowledge_count, "titles": agent.knowledge_titles},  # type: ignore[attr-defined]
    }


def voice_of(found: dict[str, Any]) -> Voice:
    """Turn a loaded context into the voice that a prompt carries."""
    lists = ("bio", "lore", "topics", "adjectives", "style", "examples")
    return Voice(
        handle=found["handle"],
        name=found["name"],
        system=found["system"],
        **{name: tuple(found[name]) for name in lists},
    )


def passages_of(found: dict[str, Any]) -> tuple[Passage, ...]:
    return tuple(Passage(**passage) for passage in found["passages"])


def urls_of(found: dict[str, Any]) -> frozenset[str]:
    """Return the addresses of the sources: the only links that a text may keep."""
    return frozenset(passage["url"] for passage in found["passages"] if passage["url"])
