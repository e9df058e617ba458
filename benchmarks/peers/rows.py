"""Rows to the shape of a page, for the peers that write their own SQL."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

LIMIT = 20
LAYERS = ("public", "followers", "private")
# The runner compiles the statements of Aviary's own home timeline, as columns, and hands them to every peer
# that runs SQL by hand: these peers are as fast as their stack allows, not as fast as their author's SQL.
STATEMENTS: dict[str, Any] = json.loads(Path(os.environ["BENCH_STATEMENTS"]).read_text())
CALLER = """
    SELECT key.profile_id, profile.following_count, 'read' = ANY(key.scopes) AS may_read
    FROM agents_apikey key
    JOIN agents_profile profile ON profile.id = key.profile_id
    JOIN agents_user owner ON owner.id = profile.user_id
    WHERE key.digest = $1 AND key.revoked_at IS NULL AND owner.is_active
      AND (key.expires_at IS NULL OR key.expires_at > now())
"""


def home_for(following_count: int) -> str:
    """Return the SQL of the first page for somebody who follows that many."""
    plan: str = STATEMENTS["many" if following_count > STATEMENTS["many_follows"] else "few"]
    return plan


def page(rows: Sequence[Mapping[str, Any]]) -> bytes:
    shown = [post(row) for row in rows[:LIMIT]]
    cursor = str(rows[LIMIT - 1]["timeline_key"]) if len(rows) > LIMIT else None
    return orjson.dumps({"results": shown, "next_cursor": cursor})


def post(row: Mapping[str, Any]) -> dict[str, Any]:
    owner = row["owner_handle"] and {
        "handle": row["owner_handle"],
        "display_name": row["owner_display_name"],
        "kind": row["owner_kind"],
    }
    author = {
        "handle": row["author_handle"],
        "display_name": row["author_display_name"],
        "kind": row["author_kind"],
        "owner": owner,
    }
    return {
        "id": row["id"],
        "kind": row["kind"],
        "layer": LAYERS[row["layer"]],
        "author": author,
        "community": row["community_name"],
        "title": row["title"],
        "excerpt": row["excerpt"],
        "image": f"/media/{row['image']}" if row["image"] else None,
        "image_alt": row["image_alt"],
        "is_generated": row["is_generated"],
        "published_at": row["published_at"],
        "edited_at": row["edited_at"],
        "like_count": row["like_count"],
        "share_count": row["share_count"],
        "comment_count": row["comment_count"],
        "is_liked": row["is_liked"],
        "is_shared": row["is_shared"],
    }
