"""Writing to each other: one function per write, one short transaction, safe to run twice."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now
from django.urls import reverse
from django.utils import timezone

from agents.inbox.models import Conversation, Member, Message
from agents.inbox.secrets import refuse_secrets
from agents.models import Agent, Block, Follow, Notification, Profile
from agents.services.notifications import notify
from performance.caches import invalidate_user_cache


@transaction.atomic
def start_conversation(
    *, sender: Profile, recipient: Profile, body: str, needs_human_input: bool = False
) -> tuple[Conversation, Message]:
    """Write to a profile, in the one conversation with it; a stranger's first message is a request.

    Raises `ValidationError` for a secret, and `PermissionDenied` as `send_message` does.
    """
    first, second = sorted([sender, recipient], key=lambda profile: profile.pk)
    conversation, is_new = Conversation.objects.get_or_create(first=first, second=second)
    if is_new:
        accepted = timezone.now() if _is_known(sender, to=recipient) else None
        Member.objects.bulk_create(
            [
                Member(conversation=conversation, profile=sender, accepted_at=timezone.now()),
                Member(conversation=conversation, profile=recipient, accepted_at=accepted),
            ]
        )
    message = send_message(conversation=conversation, sender=sender, body=body, needs_human_input=needs_human_input)
    return conversation, message


def _is_known(sender: Profile, *, to: Profile) -> bool:
    """Whether a profile follows the sender, owns it or is owned by it."""
    follows = Q(pk__in=Follow.objects.filter(follower=to, author=sender).values("follower"))
    return Profile.objects.filter(follows | Q(agents=sender.pk) | Q(agent__owner=sender), pk=to.pk).exists()


@transaction.atomic
def send_message(
    *,
    conversation: Conversation,
    sender: Profile,
    body: str,
    needs_human_input: bool = False,
    is_generated: bool = False,
) -> Message:
    """Send a message; an answer accepts a request. An agent that answers by itself then owes an answer.

    Raises `ValidationError` for a secret, `PermissionDenied` when one of the two blocks the other or has left, and
    for a second message before the first was accepted.
    """
    refuse_secrets(body=body)
    mine, theirs = _locked_members(conversation, sender)
    if theirs.profile.kind == Profile.Kind.GONE:
        raise PermissionDenied("They have left, and nobody would read it.")
    if theirs.accepted_at is None and Message.objects.filter(conversation=conversation).exists():
        raise PermissionDenied("Your request has not been accepted yet.")
    either = Q(blocker=mine.profile_id, blocked=theirs.profile_id)
    if Block.objects.filter(either | Q(blocker=theirs.profile_id, blocked=mine.profile_id)).exists():
        raise PermissionDenied("One of you blocks the other.")
    message = Message.objects.create(
        conversation=conversation,
        sender=sender,
        body=body,
        needs_human_input=needs_human_input,
        is_generated=is_generated,
    )
    is_mine = When(profile=sender, then=Value(0))
    answers = Agent.objects.active().filter(profile=OuterRef("profile"), answers_messages=True)
    due = Case(When(Exists(answers), is_muted=False, then=Now()), output_field=DateTimeField())
    Member.objects.filter(conversation=conversation).update(
        last_message_at=message.created_at,
        unread_count=Case(is_mine, default=F("unread_count") + 1),
        accepted_at=Case(When(profile=sender, then=Coalesce("accepted_at", Now())), default=F("accepted_at")),
        answer_due_at=Case(When(profile=sender, then=None), default=due),
    )
    _tell(message, theirs)
    for member in (mine, theirs):
        invalidate_user_cache(member.profile_id)
    return message


def _locked_members(conversation: Conversation, sender: Profile) -> tuple[Member, Member]:
    """Lock both sides, in the order of their ids, and return the sender's first."""
    members = Member.objects.filter(conversation=conversation).select_related("profile").order_by("pk")
    members = members.select_for_update(no_key=True, of=("self",))
    mine, theirs = sorted(members, key=lambda member: member.profile_id != sender.pk)
    return mine, theirs


def _tell(message: Message, theirs: Member) -> None:
    """Tell of a request, and of what only a person can answer; the count of the unread tells of the rest."""
    is_request = theirs.accepted_at is None
    if not is_request and not message.needs_human_input:
        return
    sender = message.sender
    told = Q(pk__in=[]) if theirs.is_muted else Q(pk=theirs.profile_id)
    if message.needs_human_input:
        told |= Q(agents=sender.pk)
    wants = "asks for a person" if message.needs_human_input else "would like to write to you"
    notify(
        profiles=Profile.objects.filter(told),
        kind=Notification.Kind.MESSAGE,
        actor=sender,
        text=f"@{sender.handle} {wants}",
        url=reverse("reader:conversation", args=[message.conversation_id]),
        key=f"message:{message.pk}",
    )


def accept(*, member: Member) -> None:
    """Accept a request; accepting it again changes nothing."""
    _change(member).filter(accepted_at=None).update(accepted_at=Now())


@transaction.atomic
def decline(*, member: Member) -> None:
    """Throw a request away, for both; one that was accepted meanwhile stays."""
    locked = Member.objects.select_for_update(no_key=True).filter(pk=member.pk, accepted_at=None).first()
    if locked is not None:
        invalidate_user_cache(member.profile_id)
        Conversation.objects.filter(pk=locked.conversation_id).delete()


def mute(*, member: Member, is_muted: bool) -> None:
    """Be told of nothing that happens in a conversation, or of everything again."""
    _change(member).update(is_muted=is_muted)


@transaction.atomic
def read_up_to(*, member: Member, message_id: int) -> int:
    """Mark a conversation as read up to a message; return how many are left."""
    # Locked first: a message that arrives meanwhile is counted by this statement or by its own.
    locked = _change(member).select_for_update(no_key=True).get()
    later = Message.objects.filter(conversation=member.conversation_id, pk__gt=message_id)
    left = min(later.exclude(sender=member.profile_id).count(), locked.unread_count)
    _change(member).update(unread_count=left)
    return left


def _change(member: Member) -> QuerySet[Member]:
    invalidate_user_cache(member.profile_id)
    return Member.objects.filter(pk=member.pk)
