import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from agents.knowledge.models import Content
from agents.models import Agent, PersonaVersion, Profile
from agents.services.people import create_person

pytestmark = pytest.mark.django_db

KAI = {
    "name": "Kai",
    "bio": "Sails small boats.",
    "lore": ["Was born at sea.", 7, None],
    "system": "You sail.",
    "topics": ["sailing"],
    "adjectives": ["salty"],
    "style": {"all": ["Be brief."], "post": ["Name the wind."], "chat": ["Wave."]},
    "postExamples": ["Reef early."],
    "messageExamples": [[{"user": "a", "content": {"text": "left out"}}]],
    "knowledge": [
        "A reef makes a sail smaller.",
        {"title": "Knots", "text": "A bowline holds."},
        {"path": "/etc/passwd"},
    ],
}


def write(folder: Path, *characters: Any, name: str = "characters.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(character) + "\n" for character in characters), "utf-8")
    return path


def run(path: Path, **options: Any) -> str:
    output = StringIO()
    call_command("import_characters", path, stdout=output, **options)
    return output.getvalue()


def test_a_character_becomes_an_agent_with_persona_and_knowledge(tmp_path: Path) -> None:
    run(write(tmp_path, KAI))
    agent = Agent.objects.select_related("profile", "persona", "owner").get()
    persona = agent.persona
    assert persona is not None
    assert (agent.profile.handle, agent.profile.display_name, agent.profile.bio) == ("Kai", "Kai", "Sails small boats.")
    assert (persona.number, persona.bio, persona.lore) == (1, ["Sails small boats."], ["Was born at sea."])
    assert persona.style == ["Be brief.", "Name the wind.", "Wave."]
    assert persona.post_examples == ["Reef early."]
    assert set(agent.contents.values_list("title", "text")) == {
        ("A reef makes a sail smaller.", "A reef makes a sail smaller."),
        ("Knots", "A bowline holds."),
    }
    assert agent.owner.handle == "importer"


def test_the_importer_cannot_log_in(tmp_path: Path) -> None:
    run(write(tmp_path, KAI))
    user = Profile.objects.select_related("user").get(handle="importer").user
    assert user is not None
    assert not user.has_usable_password()


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path = write(
        tmp_path, KAI, {"name": "Mai まい", "bio": ["x"]}, {"name": "Mai", "bio": ["y"]}, {"name": "Kai", "bio": "z"}
    )
    run(path)
    before = list(Agent.objects.order_by("pk").values()), list(PersonaVersion.objects.order_by("pk").values())
    contents = list(Content.objects.order_by("pk").values())
    assert "4" in run(path)
    assert before == (list(Agent.objects.order_by("pk").values()), list(PersonaVersion.objects.order_by("pk").values()))
    assert contents == list(Content.objects.order_by("pk").values())
    assert Agent.objects.count() == 3


def test_an_agent_that_was_edited_here_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path, KAI)
    run(path)
    Content.objects.all().delete()
    run(write(tmp_path, KAI | {"bio": "Changed in the file."}))
    assert Agent.objects.get().persona_versions.count() == 1
    assert Content.objects.count() == 0


def test_nobody_elses_agent_is_touched(tmp_path: Path, wren: Agent) -> None:
    run(write(tmp_path, {"name": "Wren", "bio": "Another."}))
    wren.profile.refresh_from_db()
    assert wren.profile.bio == "Watches small birds."
    other = Agent.objects.select_related("profile").exclude(pk=wren.pk).get()
    assert other.profile.handle.startswith("Wren-")


def test_a_list_of_personas_is_read_too(tmp_path: Path) -> None:
    run(
        write(
            tmp_path,
            {
                "name": "Jo Day",
                "username": "joday",
                "bio": "Likes tea.",
                "persona": "Jo is calm.",
                "interested_topics": ["Tea"],
            },
        )
    )
    agent = Agent.objects.select_related("profile", "persona").get()
    assert agent.persona is not None
    assert (agent.profile.handle, agent.profile.display_name) == ("joday", "Jo Day")
    assert agent.persona.bio == ["Likes tea.", "Jo is calm."]
    assert agent.persona.topics == ["Tea"]


def test_odd_characters_are_cut_cleaned_or_skipped_with_a_reason(tmp_path: Path) -> None:
    odd = [
        {"bio": "nameless"},
        {"name": 7},
        {"name": "\0\ud800"},
        {"name": "Nul\0l", "bio": "a\0b\ud800c", "knowledge": ["\0", "k\0"]},
        {"name": "Huge", "bio": "x" * 1_000_000, "system": "y" * 1_000_000, "topics": ["t" * 999] * 900},
        {"name": "Deep", "knowledge": {"a": {"b": ["c"]}}, "style": [["x"]], "topics": 9, "bio": None},
    ]
    output = run(write(tmp_path, *odd))
    assert "it has no name (characters.jsonl:1, characters.jsonl:3)" in output
    assert "name is not a string (characters.jsonl:2)" in output
    huge = PersonaVersion.objects.get(agent__profile__handle="Huge")
    assert [len(text) for text in huge.bio] == [2000]
    assert (len(huge.system), len(huge.topics), len(huge.topics[0])) == (20_000, 500, 200)
    nul = PersonaVersion.objects.get(agent__profile__handle="Null")
    assert nul.bio == ["abc"]
    assert list(Content.objects.filter(agent__profile__handle="Null").values_list("text", flat=True)) == ["k"]


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    write(tmp_path, KAI, name="kai.character.json")
    write(tmp_path, {"name": "Max"}, name="more.jsonl")
    (tmp_path / "notes.txt").write_text("no character")
    run(tmp_path)
    assert Agent.objects.count() == 2


def test_the_owner_may_be_named(tmp_path: Path, alice: Profile) -> None:
    run(write(tmp_path, KAI), owner="alice")
    assert Agent.objects.get().owner == alice


def test_a_person_who_can_log_in_does_not_come_to_own_an_import(tmp_path: Path) -> None:
    create_person(username="importer", password="a long enough password")
    with pytest.raises(CommandError, match="--owner"):
        run(write(tmp_path, KAI))
    assert not Agent.objects.exists()


def test_it_fails_only_where_nothing_could_be_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no character file"):
        run(tmp_path / "missing.json")
    with pytest.raises(CommandError, match="no character file"):
        run(tmp_path)
    with pytest.raises(CommandError, match="There is no person called nobody"):
        run(write(tmp_path, KAI), owner="nobody")
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{\n")
    with pytest.raises(CommandError, match="Nothing could be read"):
        run(broken)
