"""Recurring and evergreen posts: each turn becomes one publication, however many schedulers look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.models import Profile
from posts.models import Post
from posts.publishing import text
from posts.publishing.models import Occurrence, Publication, RecurringPost, SocialAccount
from posts.publishing.networks import network_named
from posts.publishing.services.publications import Draft, create_publication, draft_for
from posts.publishing.services.requests import approval_needed, check_room, near_duplicate
from posts.publishing.services.slots import moment_of
from posts.publishing.services.transitions import Overtaken, advance_all
from posts.publishing.states import OPEN, Status

# Turns are in the calendar so long before they come: to be seen, moved and called off like any publication.
AHEAD = timedelta(days=7)
# A turn that the house slept through is not caught up with: ten of them at once would be spam.
LATE = timedelta(hours=1)
RETRY = timedelta(minutes=30)
FURTHEST = timedelta(days=366)
BATCH = 200


@dataclass(frozen=True)
class Rhythm:
    """Every so many days from a day on, at a time of the wall clock."""

    starts_on: date
    every_days: int
    local_time: time
    time_zone: str
    ends_on: date | None = None

    @classmethod
    def of(cls, row: RecurringPost) -> Self:
        return cls(row.starts_on, row.every_days, row.local_time, row.time_zone, row.ends_on)

    def moment(self, number: int) -> datetime | None:
        """Return when a turn comes; None after the last day."""
        day = self.starts_on + timedelta(days=number * self.every_days)
        if self.ends_on and day > self.ends_on:
            return None
        return moment_of(datetime.combine(day, self.local_time), self.time_zone)

    def first_after(self, moment: datetime) -> int:
        """Return the number of the first turn after a moment."""
        days = (moment.date() - self.starts_on).days
        # A day earlier, because the zone may be ahead of UTC or behind it.
        number = max((days - 1) // self.every_days, 0)
        while (turn := self.moment(number)) and turn <= moment:
            number += 1
        return number


def create_recurring_post(
    *, author: Profile, account: SocialAccount, texts: Sequence[str], rhythm: Rhythm, post: Post | None = None
) -> tuple[RecurringPost, list[str]]:
    """Begin to publish texts in turn; return the row and warnings about it.

    Raises `ValidationError` for a text that the network refuses, a day out of reach, or too many recurring posts.
    """
    today = timezone.now().date()
    if not today - timedelta(days=1) <= rhythm.starts_on <= today + FURTHEST:
        raise ValidationError({"starts_on": "Begin today or within a year."})
    number = rhythm.first_after(timezone.now())
    if (next_at := rhythm.moment(number)) is None:
        raise ValidationError({"ends_on": "There is no turn until then."})
    for index, body in enumerate(texts):
        try:
            draft_for(account=account, body=body, post=post)
        except ValidationError as error:
            raise ValidationError({f"texts[{index}]": error.messages}) from error
    if len({text.normalised(body) for body in texts}) < len(texts):
        raise ValidationError({"texts": "Two of the texts are the same."})
    with transaction.atomic():
        _check_count(account)
        row = RecurringPost.objects.create(
            owner_id=account.owner_id, author=author, account=account, post=post, texts=list(texts),
            starts_on=rhythm.starts_on, ends_on=rhythm.ends_on, every_days=rhythm.every_days,
            local_time=rhythm.local_time, time_zone=rhythm.time_zone,
            next_number=number, next_at=next_at, look_at=next_at - AHEAD,
        )  # fmt: skip
    return row, list(_warnings_about(row))


def _check_count(account: SocialAccount) -> None:
    limit = settings.PUBLISHING_MAX_RECURRING
    # Two requests at once would both find the last place free.
    Profile.objects.select_for_update(no_key=True).get(pk=account.owner_id)
    if RecurringPost.objects.filter(owner=account.owner_id).count() >= limit:
        raise ValidationError(f"At most {limit} recurring posts at a time.", code="too_many")


def _warnings_about(row: RecurringPost) -> Iterable[str]:
    if len(row.texts) == 1 and network_named(row.account.network).refuses_repetition:
        yield f"{network_named(row.account.network).label} refuses a text that it has already: give several."
    others = Publication.objects.filter(owner=row.owner_id, account=row.account_id)
    for number, body in enumerate(row.texts, start=1):
        if twin := near_duplicate(others, body):
            yield f"Text {number} says nearly the same as publication {twin}."


def schedule_due(*, count: int = BATCH) -> int:
    """Put turns that come within a week into the calendar; return how many."""
    scheduled = 0
    for row in RecurringPost.objects.due().select_related("account", "author", "post").order_by("look_at")[:count]:
        while row.is_active and row.look_at and row.look_at <= timezone.now():
            try:
                scheduled += _take_turn(row)
            except Overtaken:
                break
    return scheduled


def _take_turn(row: RecurringPost) -> bool:
    """Deal with the next turn of a recurring post; whether it became a publication.

    Raises `Overtaken` when another scheduler did, or when the row was changed meanwhile.
    """
    moment = row.next_at
    if moment is None:
        raise Overtaken("There is no turn after the last one.")
    if moment < timezone.now() - LATE:
        _move_on(row, moment=moment, reason=row.problem or "Its time passed while nobody was looking.")
        return False
    try:
        if row.account.owner_id != row.owner_id:
            raise ValidationError("This account belongs to another profile now.")
        # Before the transaction: an image takes its time.
        draft = draft_for(account=row.account, body=row.texts[row.next_number % len(row.texts)], post=row.post)
        _move_on(row, moment=moment, draft=draft)
    except ValidationError as error:
        _postpone(row, problem=" ".join(error.messages)[:300])
        return False
    return True


@transaction.atomic
def _move_on(row: RecurringPost, *, moment: datetime, draft: Draft | None = None, reason: str = "") -> None:
    if draft:
        check_room([row.account])
    number = row.next_number
    following = Rhythm.of(row).moment(number + 1)
    _change(
        row, next_number=number + 1, next_at=following, look_at=following - AHEAD if following else None, problem=""
    )
    publication = None
    if draft:
        publication = create_publication(
            author=row.author,
            draft=draft,
            post=row.post,
            scheduled_at=moment,
            needs_approval=approval_needed(row.author),
        )
    try:
        with transaction.atomic():
            Occurrence.objects.create(
                recurring_post=row, number=number, moment=moment, publication=publication, reason=reason
            )
    except IntegrityError as error:
        raise Overtaken("This turn has been taken.") from error


def upcoming(row: RecurringPost, *, count: int) -> list[datetime]:
    """Return when the next turns come that are not in the calendar yet."""
    turns = (Rhythm.of(row).moment(row.next_number + step) for step in range(count))
    return [turn for turn in turns if turn] if row.is_active else []


def _postpone(row: RecurringPost, *, problem: str) -> None:
    """Look again in half an hour, for as long as the turn has not passed."""
    _change(row, problem=problem, look_at=timezone.now() + RETRY)


def _change(row: RecurringPost, **changes: object) -> None:
    known = RecurringPost.objects.filter(pk=row.pk, is_active=True, next_number=row.next_number)
    if not known.update(**changes):
        raise Overtaken("Somebody else dealt with this turn.")
    for name, value in changes.items():
        setattr(row, name, value)


def pause(*, row: RecurringPost) -> None:
    """Take no more turns until it is resumed; what is in the calendar already stays there."""
    RecurringPost.objects.filter(pk=row.pk).update(is_active=False)


def resume(*, row: RecurringPost) -> None:
    """Go on with the next turn to come; those that passed meanwhile are not caught up with."""
    rhythm = Rhythm.of(row)
    number = max(rhythm.first_after(timezone.now()), row.next_number)
    next_at = rhythm.moment(number)
    RecurringPost.objects.filter(pk=row.pk, is_active=False).update(
        is_active=True, next_number=number, next_at=next_at, look_at=next_at - AHEAD if next_at else None, problem=""
    )


@transaction.atomic
def remove(*, row: RecurringPost, actor: Profile) -> None:
    """End a recurring post and call off its turns that have not begun to leave."""
    RecurringPost.objects.select_for_update(no_key=True).filter(pk=row.pk).first()
    waiting = Publication.objects.filter(occurrence__recurring_post=row, status__in=OPEN)
    # What is on its way already will go out, and the calendar says so.
    advance_all(rows=waiting, to=Status.CANCELLED, actor=actor, reason="Cancelled", due_at=None, lease_until=None)
    row.delete()
