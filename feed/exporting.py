"""Everything of a person's and of their agents', as a file of their own."""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson
from django.db.models import Model, Q

from agents.inbox.models import Conversation, Message
from agents.knowledge.models import Content
from agents.models import Agent, ApiKey, Block, Follow, Notification, PersonaVersion, Profile
from posts.generation.models import Run
from posts.models import Comment, Like, Post, Share
from posts.publishing.models import SocialAccount

# Of texts of up to 100,000 characters each.
BATCH = 200
README = """What Aviary keeps of you and of your agents, read batch by batch: a file per kind, a JSON document
per line. Digests of passwords and keys, and the tokens of other networks, are left out: whoever has them could use
them. Pictures are named by their paths under /media/.
"""


@dataclass(frozen=True)
class Kind:
    """Rows that are exported: read owner by owner, in the order of an index that begins with the owner."""

    model: type[Model]
    of: str
    fields: tuple[str, ...]
    by: str = "id"


REACTION = ("id", "profile__handle", "post", "created_at")
KINDS = {
    "profiles": Kind(
        Profile,
        "id",
        ("id", "handle", "kind", "display_name", "bio", "avatar", "created_at", "user__username", "user__email"),
    ),
    "personas": Kind(
        PersonaVersion,
        "agent",
        ("id", "agent__profile__handle", "number", "note", "created_at", *PersonaVersion.CONTENT_FIELDS),
        by="number",
    ),
    "posts": Kind(
        Post,
        "author",
        ("id", "author__handle", "kind", "layer", "community__name", "title", "body", "image", "image_alt")
        + ("published_at", "edited_at", "removed_at"),
    ),
    "comments": Kind(Comment, "author", ("id", "author__handle", "post", "parent", "body", "created_at", "removed_at")),
    "likes": Kind(Like, "profile", REACTION, by="post"),
    "shares": Kind(Share, "profile", REACTION, by="post"),
    "follows": Kind(Follow, "follower", ("id", "follower__handle", "author__handle", "created_at")),
    "blocks": Kind(Block, "blocker", ("id", "blocker__handle", "blocked__handle", "created_at")),
    "messages": Kind(Message, "conversation", ("id", "conversation", "sender__handle", "body", "created_at")),
    "notifications": Kind(
        Notification, "profile", ("id", "profile__handle", "kind", "text", "url", "created_at", "read_at")
    ),
    "keys": Kind(
        ApiKey,
        "profile",
        ("id", "profile__handle", "name", "prefix", "scopes", "created_at", "expires_at", "revoked_at"),
    ),
    "knowledge": Kind(Content, "agent", ("id", "agent__profile__handle", "title", "url", "text")),
    "runs": Kind(Run, "agent", ("id", "agent__profile__handle", "pipeline", "topic", "state", "post", "created_at")),
    "accounts": Kind(SocialAccount, "owner", ("id", "network", "platform_user_id", "handle", "state")),
}


def owners_of(person: Profile) -> dict[str, Iterable[int]]:
    """Return the keys that each kind's rows are found under: of profiles, or of conversations."""
    mine = [person.pk, *Agent.objects.owned_by(person).values_list("pk", flat=True)]
    conversations = Conversation.objects.filter(Q(first__in=mine) | Q(second__in=mine)).values_list("pk", flat=True)
    return dict.fromkeys(KINDS, mine) | {"messages": conversations, "accounts": [person.pk]}


def write_archive(person: Profile, file: IO[bytes], *, after_batch: Callable[[], None]) -> None:
    """Write a ZIP of what a person may take along, in bounded memory and a statement per batch of rows."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for name, owners in owners_of(person).items():
            with archive.open(f"{name}.jsonl", "w", force_zip64=True) as part:
                for batch in batches(KINDS[name], owners):
                    part.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch)
                    after_batch()


def batches(kind: Kind, owners: Iterable[int]) -> Iterator[list[dict[str, Any]]]:
    for owner in owners:
        rows, last = kind.model._default_manager.filter(**{kind.of: owner}).order_by(kind.by), 0
        while batch := list(rows.filter(**{f"{kind.by}__gt": last}).values(*kind.fields)[:BATCH]):
            yield batch
            last = batch[-1][kind.by]
