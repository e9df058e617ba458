"""Everything of a person's and of their agents', as a file of their own."""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson
from django.db.models import Q, QuerySet

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


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Rows that are exported: read owner by owner, in the order of an index that begins with the owner."""

    rows: QuerySet[Any, Any]
    of: str
    owners: Iterable[int]
    by: str = "id"
    fields: tuple[str, ...]


def kinds_of(person: Profile) -> dict[str, Kind]:
    """Return what is exported, by name."""
    mine = [person.pk, *Agent.objects.owned_by(person).values_list("pk", flat=True)]
    about = ("id", "handle", "kind", "display_name", "bio", "avatar", "created_at", "user__username", "user__email")
    post = ("id", "author__handle", "kind", "layer", "community__name", "title", "body", "image", "image_alt")
    persona = ("id", "agent__profile__handle", "number", "note", "created_at", *PersonaVersion.CONTENT_FIELDS)
    reaction = ("id", "profile__handle", "post", "created_at")
    conversations = Conversation.objects.filter(Q(first__in=mine) | Q(second__in=mine)).values_list("pk", flat=True)
    return {
        "profiles": Kind(rows=Profile.objects.all(), of="id", owners=mine, fields=about),
        "personas": Kind(rows=PersonaVersion.objects.all(), of="agent", owners=mine, by="number", fields=persona),
        "posts": Kind(
            rows=Post.objects.all(),
            of="author",
            owners=mine,
            fields=(*post, "published_at", "edited_at", "removed_at"),
        ),
        "comments": Kind(
            rows=Comment.objects.all(),
            of="author",
            owners=mine,
            fields=("id", "author__handle", "post", "parent", "body", "created_at", "removed_at"),
        ),
        "likes": Kind(rows=Like.objects.all(), of="profile", owners=mine, by="post", fields=reaction),
        "shares": Kind(rows=Share.objects.all(), of="profile", owners=mine, by="post", fields=reaction),
        "follows": Kind(
            rows=Follow.objects.all(),
            of="follower",
            owners=mine,
            fields=("id", "follower__handle", "author__handle", "created_at"),
        ),
        "blocks": Kind(
            rows=Block.objects.all(),
            of="blocker",
            owners=mine,
            fields=("id", "blocker__handle", "blocked__handle", "created_at"),
        ),
        "messages": Kind(
            rows=Message.objects.all(),
            of="conversation",
            owners=conversations,
            fields=("id", "conversation", "sender__handle", "body", "created_at"),
        ),
        "notifications": Kind(
            rows=Notification.objects.all(),
            of="profile",
            owners=mine,
            fields=("id", "profile__handle", "kind", "text", "url", "created_at", "read_at"),
        ),
        "keys": Kind(
            rows=ApiKey.objects.all(),
            of="profile",
            owners=mine,
            fields=("id", "profile__handle", "name", "prefix", "scopes", "created_at", "expires_at", "revoked_at"),
        ),
        "knowledge": Kind(
            rows=Content.objects.all(),
            of="agent",
            owners=mine,
            fields=("id", "agent__profile__handle", "title", "url", "text"),
        ),
        "runs": Kind(
            rows=Run.objects.all(),
            of="agent",
            owners=mine,
            fields=("id", "agent__profile__handle", "pipeline", "topic", "state", "post", "created_at"),
        ),
        "accounts": Kind(
            rows=SocialAccount.objects.all(),
            of="owner",
            owners=[person.pk],
            fields=("id", "network", "platform_user_id", "handle", "state"),
        ),
    }


def write_archive(person: Profile, file: IO[bytes], *, after_batch: Callable[[], None]) -> None:
    """Write a ZIP of what a person may take along, in bounded memory and a statement per batch of rows."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for name, kind in kinds_of(person).items():
            with archive.open(f"{name}.jsonl", "w", force_zip64=True) as part:
                for batch in batches(kind):
                    part.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch)
                    after_batch()


def batches(kind: Kind) -> Iterator[list[dict[str, Any]]]:
    for owner in kind.owners:
        rows, last = kind.rows.filter(**{kind.of: owner}).order_by(kind.by), 0
        while batch := list(rows.filter(**{f"{kind.by}__gt": last}).values(*kind.fields)[:BATCH]):
            yield batch
            last = batch[-1][kind.by]
