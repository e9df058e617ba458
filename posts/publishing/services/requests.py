"""From what somebody asks for to rows in the outbox: to several accounts at once, all or nothing."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.search import TrigramSimilarity
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from agents.models import Profile
from posts.models import Post
from posts.publishing.models import Publication, PublishingPolicy, SocialAccount
from posts.publishing.services.publications import Draft, check_schedule, create_publication, draft_for
from posts.publishing.services.slots import next_free_slot
from posts.publishing.states import OPEN, Status

CLASH = timedelta(minutes=5)
NEAR_DUPLICATE = 0.8
COMPARED = 50


@dataclass
class Wanted:
    """What is to be published where, and when."""

    accounts: Sequence[SocialAccount]
    body: str = ""
    post: Post | None = None
    variants: Mapping[str, str] = field(default_factory=dict)
    split: bool = False
    with_image: bool = True
    # Networks to which it goes as text alone.
    imageless: Collection[str] = ()
    scheduled_at: datetime | None = None
    next_slot: bool = False


def body_of(post: Post) -> str:
    """Return a post as plain text: its title, and its body below it where that says more."""
    return f"{post.title}\n\n{post.body}".strip() if post.body else post.title


def submit(*, author: Profile, wanted: Wanted) -> tuple[list[Publication], list[str]]:
    """Put a text into the outboxes of accounts; return the rows and warnings about them.

    Raises `ValidationError` naming the moment and every account that refuses, and then nothing has been written.
    """
    drafts, errors = [], {}
    if wanted.scheduled_at:
        try:
            check_schedule(wanted.scheduled_at)
        except ValidationError as error:
            errors["scheduled_at"] = error.messages
    for account in wanted.accounts:
        try:
            drafts.append(draft_of(account, wanted))
        except ValidationError as error:
            errors[f"accounts.{account.pk}"] = error.messages
    if errors:
        raise ValidationError(errors)
    needs_approval = approval_needed(author)
    with transaction.atomic():
        check_room(wanted.accounts)
        publications = [
            create_publication(
                author=author,
                draft=draft,
                post=wanted.post,
                scheduled_at=_free_slot(draft.account) if wanted.next_slot else wanted.scheduled_at,
                needs_approval=needs_approval,
            )
            for draft in drafts
        ]
    return publications, list(warnings_about(publications))


def draft_of(account: SocialAccount, wanted: Wanted) -> Draft:
    """Return what an account would publish. Raises `ValidationError` naming the limit."""
    body = wanted.variants.get(account.network) or wanted.body or (body_of(wanted.post) if wanted.post else "")
    with_image = wanted.with_image and account.network not in wanted.imageless
    return draft_for(account=account, body=body, post=wanted.post, split=wanted.split, with_image=with_image)


def _free_slot(account: SocialAccount) -> datetime:
    # Two requests at once would both find the same slot free.
    SocialAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    try:
        return next_free_slot(account=account)
    except ValidationError as error:
        raise ValidationError({f"accounts.{account.pk}": error.messages}) from error


def approval_needed(author: Profile) -> bool:
    """Whether an agent's publications wait for its owner, who may have said so."""
    return author.is_agent and PublishingPolicy.objects.filter(agent=author.pk, owner_approves=True).exists()


def check_room(accounts: Iterable[SocialAccount]) -> None:
    """Raise `ValidationError` unless one more publication per account given may wait; call it in a transaction."""
    limit = settings.PUBLISHING_MAX_OPEN
    for owner, wanted in sorted(Counter(account.owner_id for account in accounts).items()):
        # Two requests at once would both find the last places free.
        Profile.objects.select_for_update(no_key=True).get(pk=owner)
        if Publication.objects.filter(owner=owner, status__in=OPEN)[:limit].count() + wanted > limit:
            raise ValidationError(f"At most {limit} publications can wait at a time.", code="too_many")


def warnings_about(publications: Iterable[Publication]) -> Iterable[str]:
    """Yield what its author may not have noticed: another post close in time, or nearly the same text."""
    for publication in publications:
        mine = Publication.objects.filter(owner=publication.owner_id, account=publication.account_id)
        others = mine.exclude(pk=publication.pk)
        if moment := publication.scheduled_at:
            close = others.filter(status__in=OPEN, scheduled_at__range=(moment - CLASH, moment + CLASH))
            if clash := close.values_list("pk", flat=True).first():
                yield f"Publication {publication.pk} goes out within five minutes of {clash} on the same account."
        if twin := near_duplicate(others, publication.text):
            yield f"Publication {publication.pk} says nearly the same as {twin}."


def near_duplicate(others: QuerySet[Publication], body: str) -> int | None:
    """Return the id of one of the newest publications that says nearly the same as a text."""
    recent = others.exclude(status=Status.CANCELLED).order_by("-id").values("pk")[:COMPARED]
    alike = Publication.objects.filter(pk__in=recent).annotate(similarity=TrigramSimilarity("text", body))
    return alike.filter(similarity__gte=NEAR_DUPLICATE).values_list("pk", flat=True).first()
