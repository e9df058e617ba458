"""Many publications at once, from CSV or JSON: looked at first, written as a whole or not at all."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dateparse import parse_datetime

from agents.models import Profile
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.services.publications import Draft, check_schedule, draft_for, new_rows, record_created
from posts.publishing.services.requests import approval_needed, check_room
from posts.publishing.services.slots import moment_of

MAX_ROWS = 10_000
COLUMNS = ("account", "text", "scheduled_at", "time_zone")


@dataclass
class Row:
    """One line as it was read: what it would become, or what is wrong with it."""

    number: int
    draft: Draft | None = None
    scheduled_at: datetime | None = None
    errors: list[str] = field(default_factory=list)


def read_csv(text: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of a CSV file with the columns account, text, scheduled_at and time_zone.

    Raises `ValidationError` for other columns or more than 10,000 lines.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    if set(reader.fieldnames or ()) - set(COLUMNS) or not {"account", "text"} <= set(reader.fieldnames or ()):
        raise ValidationError(f"The columns are {', '.join(COLUMNS)}.", code="columns")
    try:
        for number, line in enumerate(reader):
            if number >= MAX_ROWS:
                raise ValidationError(f"At most {MAX_ROWS} lines at a time.", code="too_many")
            yield line
    except csv.Error as error:
        raise ValidationError(f"Line {reader.line_num} is not CSV: {error}.", code="not_csv") from error


def look_at(*, author: Profile, lines: Iterable[dict[str, Any]]) -> list[Row]:
    """Check every line against its account's limits and the calendar; write nothing."""
    accounts = {str(row.pk): row for row in SocialAccount.objects.for_list(author)}
    return [_row(number, line, accounts) for number, line in enumerate(lines, start=1)]


def _row(number: int, line: dict[str, Any], accounts: dict[str, SocialAccount]) -> Row:
    row = Row(number)
    account = accounts.get(str(line.get("account") or "").strip())
    if account is None:
        row.errors.append("account: You have no such account.")
    else:
        try:
            row.draft = draft_for(account=account, body=str(line.get("text") or ""))
        except ValidationError as error:
            row.errors += [f"text: {message}" for message in error.messages]
    if moment := str(line.get("scheduled_at") or "").strip():
        try:
            row.scheduled_at = _moment(moment, str(line.get("time_zone") or "").strip())
            check_schedule(row.scheduled_at)
        except (ValidationError, ValueError) as error:
            messages = error.messages if isinstance(error, ValidationError) else ["This is not a moment."]
            row.errors += [f"scheduled_at: {message}" for message in messages]
    return row


def _moment(value: str, time_zone: str) -> datetime:
    moment = parse_datetime(value)
    if moment is None:
        raise ValueError(value)
    if moment.tzinfo is None and not time_zone:
        raise ValidationError("Give an offset or a time zone.")
    return moment if moment.tzinfo else moment_of(moment, time_zone)


@transaction.atomic
def write(*, author: Profile, rows: list[Row]) -> list[Publication]:
    """Create what was looked at, in a handful of statements; call it with rows that have no errors."""
    drafts = [(row.draft, row.scheduled_at) for row in rows if row.draft is not None]
    check_room([draft.account for draft, _ in drafts])
    needs_approval = approval_needed(author)
    publications = [
        row
        for draft, moment in drafts
        for row in new_rows(author=author, draft=draft, scheduled_at=moment, needs_approval=needs_approval)
    ]
    Publication.objects.bulk_create(publications, batch_size=1000)
    record_created(publications, actor=author)
    return publications
