import re

import pytest

from agents.importing.handles import derive_handle, free_handles
from agents.models import Agent
from agents.models.people import HANDLE_PATTERN


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        ("Ada", "Ada"),
        ("eudaemon_0", "eudaemon_0"),
        ("-edge-", "-edge-"),
        ("Mai まい", "Mai"),
        ("TrollDetective.Exe", "TrollDetective-Exe"),
        ("Zoë Ångström", "Zoe-Angstrom"),
        ("Søren Größe", "Soren-Grosse"),
        ("x" * 99, "x" * 40),
    ],
)
def test_a_handle_resembles_the_name(name: str, handle: str) -> None:
    assert derive_handle(name) == handle


@pytest.mark.parametrize("name", ["まい", "🦞", "", "---", "\u202e", "Ωμέγα"])
def test_a_name_with_no_ascii_gives_a_hash(name: str) -> None:
    assert re.fullmatch(r"agent-[0-9a-f]{10}", derive_handle(name))


@pytest.mark.parametrize("name", ["x" * 99, "é" * 99, "まい", "a b", "Wren", "a/b\\c\nd"])
def test_every_handle_is_one_that_a_profile_may_have(db: None, name: str) -> None:
    assert re.fullmatch(HANDLE_PATTERN, free_handles([name], salt="s")[name])


def test_a_handle_that_is_taken_gets_a_hash(wren: Agent) -> None:
    handles = free_handles(["WREN", "Wren!", "robin"], salt="s")
    assert handles["robin"] == "robin"
    assert re.fullmatch(r"WREN-[0-9a-f]{6}", handles["WREN"])
    assert re.fullmatch(r"Wren-[0-9a-f]{6}", handles["Wren!"])
    assert len({handle.lower() for handle in handles.values()}) == 3
