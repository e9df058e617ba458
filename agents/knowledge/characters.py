"""Agents from character files: the ElizaOS format, old and new spelling, and plain persona lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from agents.importing.handles import free_handles
from agents.importing.records import Record
from agents.importing.report import Report
from agents.importing.values import Unusable, strings_of, text_of
from agents.knowledge.services import save_content
from agents.knowledge.text import clean, shorten
from agents.models import Agent, Profile
from agents.services.agents import create_agent

CHARACTERS = "characters"
KNOWLEDGE = "knowledge items"
# As large as PersonaVersion stores them, and as many as a prompt could ever use.
MAX_SYSTEM_LENGTH = 20_000
MAX_ITEMS = 500
ITEM_LENGTHS = {"bio": 2000, "lore": 2000, "topics": 200, "adjectives": 100, "style": 1000, "post_examples": 4000}
ALIASES = {"post_examples": ("post_examples", "postExamples"), "topics": ("topics", "interested_topics")}


@dataclass(frozen=True, slots=True)
class Character:
    name: str
    wish: str
    bio: str
    persona: dict[str, Any]
    knowledge: list[tuple[str, str]]


def character_of(data: Mapping[str, Any]) -> Character:
    """Read a character; message examples are left out, because personas here write posts.

    Raises `Unusable` for one without a name.
    """
    name = shorten(text_of(data, "name", "username"), 80)
    if not name:
        raise Unusable("it has no name")
    persona: dict[str, Any] = {field: _items(data, field, length) for field, length in ITEM_LENGTHS.items()}
    persona["system"] = clean(text_of(data, "system"))[:MAX_SYSTEM_LENGTH]
    about = strings_of(data.get("persona"))
    bio = shorten(" ".join(persona["bio"] or about), 280)
    persona["bio"] = [*persona["bio"], *(text[:2000] for text in about)]
    return Character(
        name=name,
        wish=text_of(data, "username") or name,
        bio=bio,
        persona=persona,
        knowledge=_knowledge(data.get("knowledge")),
    )


def _items(data: Mapping[str, Any], field: str, length: int) -> list[str]:
    value = next((data[alias] for alias in ALIASES.get(field, (field,)) if data.get(alias)), None)
    return [clean(text)[:length] for text in strings_of(value)[:MAX_ITEMS]]


def _knowledge(value: Any) -> list[tuple[str, str]]:
    """Return (title, text) pairs: an item is a text, or an object that holds one. Paths to files are not followed."""
    items = value if isinstance(value, list) else [value]
    return [pair for item in items[:MAX_ITEMS] for pair in _knowledge_item(item)]


def _knowledge_item(item: Any) -> list[tuple[str, str]]:
    if isinstance(item, Mapping):
        texts = strings_of(item.get("text") or item.get("content"))
        return [(title, text) for text in texts for title in strings_of(item.get("title")) or [""]]
    return [("", text) for text in strings_of(item)]


def import_character(record: Record, *, owner: Profile, report: Report) -> None:
    """Create the agent of a character with its knowledge, once.

    An agent of that name and owner is left alone: what was edited here since is worth more than the file.
    """
    try:
        character = character_of(record.data)
    except Unusable as reason:
        report.skip(CHARACTERS, str(reason), record.place)
        return
    if Agent.objects.owned_by(owner).filter(profile__display_name=character.name).exists():
        report.unchanged(CHARACTERS)
        return
    try:
        _, added = create_character(character, owner=owner)
    except IntegrityError:
        report.skip(CHARACTERS, "its handle was taken at this moment; run again", record.place)
        return
    report.created(CHARACTERS)
    report.created(KNOWLEDGE, added)


@transaction.atomic
def create_character(character: Character, *, owner: Profile) -> tuple[Agent, int]:
    """Create an agent from a character; return it and how many items of knowledge it got."""
    handle = free_handles([character.wish], salt=character.name)[character.wish]
    agent = create_agent(
        owner=owner, handle=handle, display_name=character.name, bio=character.bio, persona=character.persona
    )
    saved = (
        save_content(platform="character", title=title, text=text, agent=agent)
        for title, text in character.knowledge
        if clean(text)
    )
    return agent, sum(is_new for _, is_new in saved)
