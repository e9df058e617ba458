from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Left

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
