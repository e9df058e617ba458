from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from django.db import transaction

from agents.importing.records import Record
from agents.importing.values import Unusable, id_of, moment_of, text_of
from posts.importing.authors import MAX_NAME_LENGTH, Author, profiles_of
from posts.importing.ledger import Kind
from posts.importing.posts import MAX_ID_LENGTH
from posts.importing.runs import BATCH, Run
from posts.importing.spool import Spool
from posts.models import Comment, Post
from posts.services.bulk import NewComment, create_comments, draw_comment_ids

COMMENTS = "comments"
MAX_BODY_LENGTH = 10_000


@dataclass(frozen=True, slots=True)
class CommentRow:
    record: Record
    external_id: str
    post: str
    parent: str
    author: str
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Parent:
    post_id: int
    path: list[int]


def import_comments(run: Run, records: Iterable[Record]) -> None:
    """Store the comments that are new, under posts that were imported before.

    A reply may stand before its parent: what waits for one lies on disk, not in memory, and is read again
    for as long as that finds another parent.
    """
    with ExitStack() as spools:
        waiting = spools.enter_context(Spool())
        for batch in batched(records, BATCH):
            _store(run, batch, waiting)
        while waiting.count:
            earlier, waiting = waiting, spools.enter_context(Spool())
            for batch in batched(earlier.records(), BATCH):
                _store(run, batch, waiting)
            if waiting.count == earlier.count:
                break
        for record in waiting.records():
            run.report.skip(COMMENTS, "the comment it answers is not in the data", record.place)


def _read(record: Record) -> CommentRow:
    data = record.data
    body = text_of(data, "content", "body")
    if not body.strip():
        raise Unusable("it has no text")
    has_parent = data.get("parent_id") is not None
    return CommentRow(
        record=record,
        external_id=id_of(data, "id", max_length=MAX_ID_LENGTH),
        post=id_of(data, "post_id", max_length=MAX_ID_LENGTH),
        parent=id_of(data, "parent_id", max_length=MAX_ID_LENGTH) if has_parent else "",
        author=id_of(data, "author", max_length=MAX_NAME_LENGTH),
        body=body,
        created_at=moment_of(data, "created_at"),
    )


def _store(run: Run, batch: Iterable[Record], waiting: Spool) -> None:
    rows: dict[str, CommentRow] = {}
    for record in batch:
        try:
            row = _read(record)
        except Unusable as reason:
            run.report.skip(COMMENTS, str(reason), record.place)
            continue
        if row.external_id in rows:
            run.report.unchanged(COMMENTS)
        rows.setdefault(row.external_id, row)
    with transaction.atomic():
        run.lock()
        known = run.known(Kind.COMMENT, rows)
        run.report.unchanged(COMMENTS, len(known))
        new = [row for row in rows.values() if row.external_id not in known]
        comments = dict(_placed(run, new, waiting))
        create_comments(comments=list(comments.values()))
        run.remember(Kind.COMMENT, {external_id: comment.pk for external_id, comment in comments.items()})
        run.report.created(COMMENTS, len(comments))


def _placed(run: Run, rows: list[CommentRow], waiting: Spool) -> Iterator[tuple[str, NewComment]]:
    """Yield what has its post, its author and its parent; the rest waits or goes into the report."""
    posts = run.known(Kind.POST, {row.post for row in rows})
    alive = set(Post.objects.filter(pk__in=posts.values()).values_list("pk", flat=True))
    authors = profiles_of(run, {row.author: Author() for row in rows if posts.get(row.post) in alive})
    parents = _parents(run, rows)
    for row, pk in zip(rows, draw_comment_ids(len(rows)), strict=True):
        post_id, author_id = posts.get(row.post, 0), authors.get(row.author, 0)
        if row.parent and row.parent not in parents and post_id in alive:
            waiting.add(row.record)
            continue
        parent = parents.get(row.parent)
        problem = _problem(post_id, alive, author_id, bool(row.parent), parent)
        if problem:
            run.report.skip(COMMENTS, problem, row.record.place)
            continue
        if len(row.body) > MAX_BODY_LENGTH:
            run.report.note(COMMENTS, f"the text was cut to {MAX_BODY_LENGTH:,} characters", row.record.place)
        ancestors = parent.path if parent else []
        parents[row.external_id] = Parent(post_id, [*ancestors, pk])
        yield (
            row.external_id,
            NewComment(pk, post_id, author_id, ancestors, row.body[:MAX_BODY_LENGTH], row.created_at),
        )


def _parents(run: Run, rows: list[CommentRow]) -> dict[str, Parent | None]:
    """Return the comments that these answer; None for one that was deleted here."""
    known = run.known(Kind.COMMENT, {row.parent for row in rows if row.parent})
    comments = Comment.objects.filter(pk__in=known.values()).values_list("pk", "post_id", "path")
    alive = {pk: Parent(post_id, path) for pk, post_id, path in comments}
    return {external_id: alive.get(pk) for external_id, pk in known.items()}


def _problem(post_id: int, alive: set[int], author_id: int, is_reply: bool, parent: Parent | None) -> str:
    if not post_id:
        return "its post is not in the data"
    if post_id not in alive:
        return "its post was deleted here"
    if not author_id:
        return "its author was deleted here"
    if is_reply and parent is None:
        return "the comment it answers was deleted here"
    if parent and parent.post_id != post_id:
        return "it answers a comment of another post"
    if parent and len(parent.path) >= Comment.MAX_DEPTH:
        return f"it lies deeper than {Comment.MAX_DEPTH} levels"
    return ""
