"""Create publications and change them while they are still in the house."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from agents.models import Profile
from posts.models import Post
from posts.publishing import images, text
from posts.publishing.models import Publication, PublicationEvent, SocialAccount
from posts.publishing.networks import network_named
from posts.publishing.networks.base import MediaRule, Receipt
from posts.publishing.services import outcomes
from posts.publishing.services.threads import cancel_following
from posts.publishing.services.transitions import Overtaken, advance
from posts.publishing.services.webhooks import announce
from posts.publishing.states import OPEN, Status

FURTHEST = timedelta(days=366)
# A request made for "now" may take a moment to arrive.
PAST_TOLERANCE = timedelta(minutes=1)
MAX_PARTS = 25


@dataclass(frozen=True)
class Draft:
    """What is to go out to one account: checked against the network's limits, the image made to fit."""

    account: SocialAccount
    parts: tuple[str, ...]
    image: bytes | None = None
    image_alt: str = ""


def draft_for(
    *, account: SocialAccount, body: str, post: Post | None = None, split: bool = False, with_image: bool = True
) -> Draft:
    """Check a text and a post's image against what an account's network takes.

    `split` makes a thread of a text that is too long. Raises `ValidationError` naming the limit.
    """
    if not account.is_active:
        raise ValidationError("This account has to be connected again.", code="account_inactive")
    network = network_named(account.network)
    image = _image_of(post, network.media) if post and with_image else None
    body = body.strip()
    if not body and image is None:
        raise ValidationError("There is nothing to publish.", code="empty")
    if network.media.required and image is None:
        raise ValidationError(f"{network.label} takes no post without an image.", code="image_required")
    parts = _parts(account, body, split=split)
    return Draft(account, parts, image, post.image_alt[: network.media.max_alt] if post and image else "")


def _image_of(post: Post, rule: MediaRule) -> bytes | None:
    if not post.image:
        return None
    with post.image.open() as source:
        return images.fitted(source, rule)


def _parts(account: SocialAccount, body: str, *, split: bool) -> tuple[str, ...]:
    network = network_named(account.network)
    rules = network.text_rules(account)
    too_long = [rule for rule in rules if rule.count(body) > rule.limit]
    if not too_long:
        return (body,)
    if not split:
        rule = too_long[0]
        raise ValidationError(
            f"{network.label} takes at most {rule.limit} {rule.unit}; this text has {rule.count(body)}.",
            code="too_long",
        )
    # In thousandths of the tightest limit, so that one search satisfies all of them.
    parts = text.split_thread(
        body, limit=1000, count=lambda part: max(-(-rule.count(part) * 1000 // rule.limit) for rule in rules)
    )
    if len(parts) > MAX_PARTS:
        raise ValidationError(f"This would be a thread of more than {MAX_PARTS} parts.", code="too_long")
    return tuple(parts)


def check_schedule(moment: datetime) -> None:
    """Raise `ValidationError` for a moment in the past or more than a year ahead."""
    now = timezone.now()
    if moment < now - PAST_TOLERANCE:
        raise ValidationError("This moment has passed.", code="past")
    if moment > now + FURTHEST:
        raise ValidationError("Schedule at most one year ahead.", code="too_far")


@transaction.atomic
def create_publication(
    *,
    author: Profile,
    draft: Draft,
    post: Post | None = None,
    scheduled_at: datetime | None = None,
    needs_approval: bool = False,
) -> Publication:
    """Put a text into the outbox of an account, now or for a moment to come; return the (first) row."""
    rows = new_rows(author=author, draft=draft, post=post, scheduled_at=scheduled_at, needs_approval=needs_approval)
    if draft.image is not None:
        rows[0].image.save(f"{uuid.uuid4().hex}.jpg", ContentFile(draft.image), save=False)
    for row in rows:
        row.save(force_insert=True)
    record_created(rows, actor=author)
    return rows[0]


def new_rows(
    *,
    author: Profile,
    draft: Draft,
    post: Post | None = None,
    scheduled_at: datetime | None = None,
    needs_approval: bool = False,
) -> list[Publication]:
    """Build the rows of a draft, one per part of a thread, without storing them."""
    network = network_named(draft.account.network)
    status = _first_status(scheduled_at, needs_approval=needs_approval)
    rows: list[Publication] = []
    for part in draft.parts:
        is_first = not rows
        rows.append(
            Publication(
                owner_id=draft.account.owner_id,
                author=author,
                account=draft.account,
                network=draft.account.network,
                post=post,
                previous=None if is_first else rows[-1],
                text=part,
                image_alt=draft.image_alt if is_first else "",
                status=status,
                scheduled_at=scheduled_at,
                due_at=_due_at(status, scheduled_at) if is_first else None,
                fingerprint=network.fingerprint(part),
                idempotency_key=uuid.uuid4(),
            )
        )
    return rows


def record_created(rows: list[Publication], *, actor: Profile) -> None:
    """Write the first event of each row, and one message per owner to whoever wants to know."""
    PublicationEvent.objects.bulk_create(
        (PublicationEvent(publication=row, to_status=row.status, actor=actor, reason="Created") for row in rows),
        batch_size=1000,
    )
    for owner in {row.owner_id for row in rows}:
        mine = [row.pk for row in rows if row.owner_id == owner]
        announce(owner_id=owner, kind="created", publications=mine)


def _first_status(scheduled_at: datetime | None, *, needs_approval: bool) -> Status:
    if needs_approval:
        return Status.PENDING_APPROVAL
    return Status.SCHEDULED if scheduled_at else Status.QUEUED


def _due_at(status: Status, scheduled_at: datetime | None) -> datetime | None:
    if status == Status.PENDING_APPROVAL:
        return None
    return scheduled_at or timezone.now()


def move(*, publication: Publication, actor: Profile, scheduled_at: datetime) -> None:
    """Give a publication that has not begun to leave another time.

    Raises `Overtaken` when it is on its way.
    """
    if publication.status not in (Status.SCHEDULED, Status.PENDING_APPROVAL):
        raise Overtaken(f"It is {publication.status}.")
    if publication.status == Status.PENDING_APPROVAL:
        rows = Publication.objects.filter(pk=publication.pk, status=Status.PENDING_APPROVAL)
        if not rows.update(scheduled_at=scheduled_at):
            raise Overtaken("It is no longer waiting for approval.")
        return
    advance(
        publication=publication,
        to=Status.SCHEDULED,
        actor=actor,
        reason=f"Moved to {scheduled_at.isoformat()}",
        scheduled_at=scheduled_at,
        due_at=None if publication.previous_id else scheduled_at,
    )


@transaction.atomic
def cancel(*, publication: Publication, actor: Profile) -> None:
    """Call a publication off, with the rest of its thread.

    Raises `Overtaken` when a request may have gone out already: then nobody can promise that it is not published.
    """
    if publication.status not in (*OPEN, Status.FAILED):
        raise Overtaken(f"It is {publication.status}.")
    advance(
        publication=publication, to=Status.CANCELLED, actor=actor, reason="Cancelled", due_at=None, lease_until=None
    )
    cancel_following(publication=publication, reason="The part before it was cancelled")


def retry(*, publication: Publication, actor: Profile) -> None:
    """Try a failed publication again. Raises `Overtaken` for any other."""
    if publication.status != Status.FAILED:
        raise Overtaken(f"It is {publication.status}.")
    advance(
        publication=publication,
        to=Status.QUEUED,
        actor=actor,
        reason="Tried again by hand",
        attempt=0,
        due_at=timezone.now(),
        error_class="",
        error_detail="",
    )


@transaction.atomic
def resolve(*, publication: Publication, actor: Profile, is_out: bool, remote_id: str = "", url: str = "") -> None:
    """Settle by hand what no machine could find out: it is on the network, or it is not and is sent again.

    Raises `Overtaken` when the publication does not wait for that.
    """
    if publication.status != Status.UNKNOWN or publication.due_at is not None:
        raise Overtaken(f"It is {publication.status}, and not waiting for a person.")
    if is_out:
        # A made-up id keeps the proof unique where the person knows none.
        receipt = Receipt(remote_id=remote_id or f"by-hand:{publication.pk}", url=url)
        outcomes.record_published(publication, receipt, reason=f"Settled by hand by {actor}")
    else:
        advance(
            publication=publication,
            to=Status.QUEUED,
            actor=actor,
            reason="Settled by hand: not there",
            due_at=timezone.now(),
            error_class="",
        )


@transaction.atomic
def approve(*, publication: Publication, actor: Profile) -> None:
    """Let a publication that waits for its owner go; one whose time has passed goes now."""
    if publication.status != Status.PENDING_APPROVAL:
        raise Overtaken(f"It is {publication.status}.")
    scheduled_at = publication.scheduled_at
    advance(
        publication=publication,
        to=Status.SCHEDULED if scheduled_at else Status.QUEUED,
        actor=actor,
        reason="Approved",
        due_at=None if publication.previous_id else max(scheduled_at or timezone.now(), timezone.now()),
    )
    announce(owner_id=publication.owner_id, kind="approved", publication=publication.pk)
    following = Publication.objects.filter(previous=publication, status=Status.PENDING_APPROVAL).first()
    if following:
        approve(publication=following, actor=actor)
