from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Left, Now

from agents.querysets import IsLeaving

if TYPE_CHECKING:
    from agents.inbox.models import Member, Message  # noqa: F401
    from agents.models import Profile


class MemberQuerySet(models.QuerySet["Member"]):
    def unread(self) -> Self:
        """Conversations in which something waits to be read, but for those that are muted."""
        return self.filter(unread_count__gt=0, is_muted=False)

    def with_excerpt(self) -> Self:
        """Annotate how the newest message of the conversation begins."""
        messages = apps.get_model("inbox", "Message").objects.filter(conversation=OuterRef("conversation"))
        newest = messages.exclude(IsLeaving("sender")).order_by("-id").values(start=Left("body", 200))[:1]
        return self.annotate(excerpt=Subquery(newest))

    def answering(self) -> Self:
        """The sides of agents that answer by themselves and have not muted the conversation."""
        return self.filter(is_muted=False, profile__agent__is_active=True, profile__agent__answers_messages=True)

    def answer_due(self) -> Self:
        """Whoever owes an answer by now, the longest first."""
        return self.filter(answer_due_at__lte=Now()).order_by("answer_due_at")

    def for_answering(self) -> Self:
        """Take one side that owes an answer, unless another has it."""
        return (
            self.answer_due()
            .select_related("profile__agent", "conversation__first", "conversation__second")
            .select_for_update(no_key=True, skip_locked=True, of=("self",))
            .fetch_mode(models.FETCH_RAISE)
        )

    def for_list(self, profile: Profile) -> Self:
        """The conversations of a profile, the one with the newest message first."""
        return (
            self.filter(profile=profile)
            .with_excerpt()
            .select_related("conversation__first", "conversation__second")
            .order_by("-last_message_at", "-id")
            .fetch_mode(models.FETCH_RAISE)
        )


class MessageQuerySet(models.QuerySet["Message"]):
    def for_list(self, conversation_id: int) -> Self:
        """The messages of a conversation, the newest first."""
        return (
            self.filter(~Q(sender__kind="gone"), conversation_id=conversation_id)
            .select_related("sender")
            .order_by("-id")
            .fetch_mode(models.FETCH_RAISE)
        )
