"""Small communities written to disk, and what is in the tables afterwards."""

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from agents.knowledge.models import Content
from agents.models import Agent, Follow, PersonaVersion, Profile, User
from posts.models import Comment, Community, ImportedRow, Like, Post

TABLES = (Agent, Comment, Community, Content, Follow, ImportedRow, Like, PersonaVersion, Post, Profile, User)
NOON = "2026-01-30T12:00:00+00:00"


def write(folder: Path, **files: list[Any]) -> Path:
    """Write each list as JSON Lines; a text stands for a raw line."""
    for name, rows in files.items():
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    return folder


def run(folder: Path, **options: Any) -> str:
    output = StringIO()
    call_command("import_community", folder, stdout=output, **options)
    return output.getvalue()


def snapshot() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table that an import may write."""
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in TABLES}


def a_post(key: str, **fields: Any) -> dict[str, Any]:
    row = {
        "id": key,
        "author": "Fred",
        "submolt": "general",
        "title": f"Post {key}",
        "content": "x",
        "created_at": NOON,
    }
    return row | fields


def a_comment(key: str, post: str, **fields: Any) -> dict[str, Any]:
    row = {
        "id": key,
        "post_id": post,
        "parent_id": None,
        "author": "Gus",
        "content": f"Comment {key}",
        "created_at": NOON,
    }
    return row | fields
