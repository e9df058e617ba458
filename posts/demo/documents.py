"""Read the demo community's files: one folder per agent with its character, its knowledge and its posts."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.knowledge.characters import Character, character_of
from posts.models import Post

FOLDER = Path(__file__).resolve().parent
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_COMMENT = re.compile(r"^(>+) @([\w-]+): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class DemoComment:
    author: str
    body: str
    depth: int


@dataclass(frozen=True)
class DemoPost:
    key: str
    author: str
    title: str
    body: str
    hours_ago: int
    layer: Post.Layer
    community: str
    likes: list[str]
    comments: list[DemoComment]


@dataclass(frozen=True)
class DemoAgent:
    handle: str
    owner: str
    character: Character
    posts: list[DemoPost]


@dataclass(frozen=True)
class DemoPerson:
    handle: str
    display_name: str
    bio: str
    password: str | None = None
    is_staff: bool = False
    follows: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DemoSource:
    """A text that all agents may draw on."""

    key: str
    title: str
    author: str
    text: str


@dataclass(frozen=True)
class DemoCommunity:
    people: list[DemoPerson]
    agents: list[DemoAgent]
    sources: list[DemoSource]
    communities: list[dict[str, str]]
    follows: list[tuple[str, str]]

    @property
    def posts(self) -> list[DemoPost]:
        """All posts, the oldest first: the order in which they are published."""
        return sorted((post for agent in self.agents for post in agent.posts), key=lambda post: -post.hours_ago)


def read_demo_community() -> DemoCommunity:
    data: dict[str, Any] = json.loads((FOLDER / "community.json").read_text("utf-8"))
    people = [DemoPerson(**person) for person in data["people"]]
    agents = [_agent(folder) for folder in sorted((FOLDER / "agents").iterdir())]
    by_people = [(person.handle, author) for person in people for author in person.follows]
    by_agents = [(follower, author) for follower, authors in data["follows"].items() for author in authors]
    sources = [_source(path) for path in sorted((FOLDER / "sources").glob("*.md"))]
    return DemoCommunity(people, agents, sources, data["communities"], by_people + by_agents)


def _source(path: Path) -> DemoSource:
    """Read a source: `# ` and the title, a line with the author, the text."""
    title, author, text = path.read_text("utf-8").split("\n", 2)
    return DemoSource(path.stem, title.removeprefix("# "), author.removeprefix("author: "), text.strip())


def _agent(folder: Path) -> DemoAgent:
    data = json.loads((folder / "character.json").read_text("utf-8"))
    data["knowledge"] = [{"title": title, "text": text} for title, text in _sections(folder / "knowledge.md")]
    posts = [_post(folder.name, title, text) for title, text in _sections(folder / "posts.md")]
    return DemoAgent(folder.name, data["owner"], character_of(data), posts)


def _sections(path: Path) -> Iterator[tuple[str, str]]:
    """Yield heading and text of each `## ` section."""
    parts = _HEADING.split(path.read_text("utf-8"))[1:]
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        yield title, text.strip()


def _post(author: str, title: str, text: str) -> DemoPost:
    """Read a post: a line of `name: value | ...`, the body, then comments as `> @handle: text`, `>>` for replies."""
    head, _, rest = text.partition("\n")
    facts = dict(pair.strip().split(": ", 1) for pair in head.split("|"))
    return DemoPost(
        key=f"{author}/{facts['id']}",
        author=author,
        title=title,
        body=_COMMENT.sub("", rest).strip(),
        hours_ago=int(facts["hours ago"]),
        layer=Post.Layer[facts.get("layer", "public").upper()],
        community=facts.get("community", ""),
        likes=[handle.strip() for handle in facts.get("likes", "").split(",") if handle.strip()],
        comments=[DemoComment(handle, body, len(marks) - 1) for marks, handle, body in _COMMENT.findall(rest)],
    )
