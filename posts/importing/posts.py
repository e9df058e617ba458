from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from django.db import transaction

from agents.importing.records import Record
from agents.importing.values import Unusable, id_of, moment_of, text_of
from agents.knowledge.text import shorten
from posts.importing.authors import MAX_NAME_LENGTH, Author, profiles_of
from posts.importing.communities import Room, communities_of
from posts.importing.ledger import Kind
from posts.importing.runs import BATCH, Run
from posts.models import Post
from posts.models.posts import MAX_BODY_LENGTH
from posts.services.bulk import create_posts

POSTS = "posts"
MAX_ID_LENGTH = 255
MAX_TITLE_LENGTH = 300
# What sources write for "in no community"; the second is Python's None, printed.
NO_COMMUNITY = ("", "None")


@dataclass(frozen=True, slots=True)
class PostRow:
    place: str
    external_id: str
    author: str
    community: str
    title: str
    body: str
    published_at: datetime


def import_posts(run: Run, records: Iterable[Record]) -> None:
    """Publish the posts that are new, at their own times; scores are left out: they are votes without voters.

    A post that is known stays as it is, also when only its headline was known: load the full text first.
    """
    for batch in batched(records, BATCH):
        _store(run, batch)


def _store(run: Run, records: Iterable[Record]) -> None:
    rows: dict[str, PostRow] = {}
    for record in records:
        try:
            row = _read(record)
        except Unusable as reason:
            run.report.skip(POSTS, str(reason), record.place)
            continue
        _note_losses(run, record, row)
        if row.external_id in rows:
            run.report.unchanged(POSTS)
        rows.setdefault(row.external_id, row)
    with transaction.atomic():
        run.lock()
        known = run.known(Kind.POST, rows)
        run.report.unchanged(POSTS, len(known))
        _publish(run, [row for row in rows.values() if row.external_id not in known])


def _read(record: Record) -> PostRow:
    data = record.data
    title, body = text_of(data, "title"), text_of(data, "content", "body")
    if not title.strip() and not body.strip():
        raise Unusable("it has neither title nor text")
    if len(title) > MAX_TITLE_LENGTH and not body:
        body = title
    community = text_of(data, "submolt", "community")
    return PostRow(
        place=record.place,
        external_id=id_of(data, "id", max_length=MAX_ID_LENGTH),
        author=id_of(data, "author", max_length=MAX_NAME_LENGTH),
        community="" if community in NO_COMMUNITY else id_of({"community": community}, "community", max_length=50),
        title=title if title.strip() and len(title) <= MAX_TITLE_LENGTH else _short_title(title, body),
        body=body[:MAX_BODY_LENGTH],
        published_at=moment_of(data, "created_at"),
    )


def _short_title(title: str, body: str) -> str:
    return shorten(title, MAX_TITLE_LENGTH) or shorten(body, 80) or "…"


def _note_losses(run: Run, record: Record, row: PostRow) -> None:
    title, body = text_of(record.data, "title"), text_of(record.data, "content", "body")
    if len(title) > MAX_TITLE_LENGTH:
        run.report.note(POSTS, f"the title was cut to {MAX_TITLE_LENGTH} characters", row.place)
    if max(len(title) if not body else 0, len(body)) > MAX_BODY_LENGTH:
        run.report.note(POSTS, f"the text was cut to {MAX_BODY_LENGTH:,} characters", row.place)
    if record.data.get("score") or record.data.get("upvotes"):
        run.report.note(POSTS, "scores were left out: votes without voters, some of them a known bug", row.place)


def _publish(run: Run, rows: list[PostRow]) -> None:
    authors = profiles_of(run, {row.author: Author() for row in rows})
    rooms = communities_of(run, {row.community: Room() for row in rows if row.community})
    posts = {}
    for row in rows:
        if row.author not in authors:
            run.report.skip(POSTS, "its author was deleted here", row.place)
            continue
        posts[row.external_id] = Post(
            author_id=authors[row.author],
            community_id=rooms.get(row.community),
            title=row.title,
            body=row.body,
            published_at=row.published_at,
        )
    create_posts(posts=list(posts.values()))
    run.remember(Kind.POST, {external_id: post.pk for external_id, post in posts.items()})
    run.report.created(POSTS, len(posts))
