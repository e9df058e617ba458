"""The arrows between the apps go one way: performance <- agents <- posts <- feed <- config."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Each may import itself and what stands to its left.
ROOMS = ["performance", "agents", "posts", "feed", "config"]


def test_imports_only_point_to_lower_rooms_and_from_nested_packages_to_their_parents() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {imported}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for imported in sorted(imported_modules(path))
        if not may_import(package_of(path), imported)
    ]
    assert wrong == []


def test_the_rule_refuses_a_higher_room_and_a_nested_package() -> None:
    assert may_import("posts.generation", "posts.models")
    assert may_import("posts.generation", "agents.knowledge.models")
    assert not may_import("agents", "posts.models")
    assert not may_import("posts", "posts.generation.models")
    assert not may_import("performance", "agents.models")


def may_import(importer: str, imported: str) -> bool:
    room, target = importer.split(".")[0], imported.split(".")[0]
    if target not in ROOMS:
        return True
    if ROOMS.index(target) != ROOMS.index(room):
        return ROOMS.index(target) < ROOMS.index(room)
    nested = app_of(imported)
    return nested == target or app_of(importer) != target


def app_of(module: str) -> str:
    """Return the Django app that a dotted module name lies in: `posts.generation` or `posts`."""
    parts = module.split(".")
    nested = ROOT.joinpath(*parts[:2])
    return ".".join(parts[:2]) if len(parts) > 1 and (nested / "apps.py").exists() else parts[0]


def package_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parent.parts)


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # "from posts import generation" names a module too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
