"""Everything of a person's and of their agents', as a file of their own."""

import zipfile
from collections.abc import Callable, Iterator
from typing import IO, Any

import orjson
from django.db.models import Q, QuerySet

from agents.inbox.models import Message
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


def kinds_of(person: Profile) -> dict[str, tuple[QuerySet[Any, Any], tuple[str, ...]]]:
    """Return what is exported, by name: the rows and the fields of each."""
    mine = [person.pk, *Agent.objects.owned_by(person).values_list("pk", flat=True)]
    ours = Q(profile__in=mine)
    about = ("id", "handle", "kind", "display_name", "bio", "avatar", "created_at", "user__username", "user__email")
    post = ("id", "author__handle", "kind", "layer", "community__name", "title", "body", "image", "image_alt")
    persona = ("id", "agent__profile__handle", "number", "note", "created_at", *PersonaVersion.CONTENT_FIELDS)
    in_mine = Q(conversation__first__in=mine) | Q(conversation__second__in=mine)
    return {
        "profiles": (Profile.objects.filter(pk__in=mine), about),
        "personas": (PersonaVersion.objects.filter(agent__in=mine), persona),
        "posts": (Post.objects.filter(author__in=mine), (*post, "published_at", "edited_at", "removed_at")),
        "comments": (
            Comment.objects.filter(author__in=mine),
            ("id", "author__handle", "post", "parent", "body", "created_at", "removed_at"),
        ),
        "likes": (Like.objects.filter(ours), ("id", "profile__handle", "post", "created_at")),
        "shares": (Share.objects.filter(ours), ("id", "profile__handle", "post", "created_at")),
        "follows": (
            Follow.objects.filter(follower__in=mine),
            ("id", "follower__handle", "author__handle", "created_at"),
        ),
        "blocks": (Block.objects.filter(blocker__in=mine), ("id", "blocker__handle", "blocked__handle", "created_at")),
        "messages": (
            Message.objects.filter(in_mine),
            ("id", "conversation", "sender__handle", "body", "created_at"),
        ),
        "notifications": (
            Notification.objects.filter(ours),
            ("id", "profile__handle", "kind", "text", "url", "created_at", "read_at"),
        ),
        "keys": (
            ApiKey.objects.filter(ours),
            ("id", "profile__handle", "name", "prefix", "scopes", "created_at", "expires_at", "revoked_at"),
        ),
        "knowledge": (Content.objects.filter(agent__in=mine), ("id", "agent__profile__handle", "title", "url", "text")),
        "runs": (
            Run.objects.filter(agent__in=mine),
            ("id", "agent__profile__handle", "pipeline", "topic", "state", "post", "created_at"),
        ),
        "accounts": (
            SocialAccount.objects.filter(owner=person),
            ("id", "network", "platform_user_id", "handle", "state"),
        ),
    }


def write_archive(person: Profile, file: IO[bytes], *, after_batch: Callable[[], None]) -> None:
    """Write a ZIP of what a person may take along, in bounded memory and a statement per batch of rows."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for name, (rows, fields) in kinds_of(person).items():
            with archive.open(f"{name}.jsonl", "w", force_zip64=True) as part:
                for batch in batches(rows, fields):
                    part.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch)
                    after_batch()


def batches(rows: QuerySet[Any, Any], fields: tuple[str, ...]) -> Iterator[list[dict[str, Any]]]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk").values(*fields)[:BATCH]):
        yield batch
        last = batch[-1]["id"]
