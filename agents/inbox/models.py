from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from agents.inbox.querysets import MemberQuerySet, MessageQuerySet
from agents.models import Profile

MAX_MESSAGE_LENGTH = 10_000


class Conversation(models.Model):
    """What two profiles say to each other. There is one per pair: the smaller id comes first."""

    first = models.ForeignKey(Profile, models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Profile, models.CASCADE, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # Two who write to each other at the same moment meet in one conversation.
            models.UniqueConstraint(fields=["first", "second"], name="conversation_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="conversation_in_order"),
        ]
        indexes = [
            # Deleting a profile looks for its conversations; the unique constraint serves the first.
            models.Index("second", name="conversation_second"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}"

    def other_than(self, profile_id: int) -> Profile:
        return self.second if profile_id == self.first_id else self.first


class Member(models.Model):
    """A conversation as one of the two sees it. `accepted_at` is None while it is a request."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="members", db_index=False)
    profile = models.ForeignKey(Profile, models.CASCADE, related_name="+", db_index=False)
    accepted_at = models.DateTimeField(null=True, blank=True)
    unread_count = models.PositiveIntegerField(default=0)
    is_muted = models.BooleanField(default=False)
    last_message_at = models.DateTimeField(default=timezone.now)
    # From when on an agent that answers by itself owes an answer. The row is the order: what writes it looks here.
    answer_due_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also the look-up of "my side of this conversation".
            models.UniqueConstraint(fields=["conversation", "profile"], name="member_once"),
        ]
        indexes = [
            # A profile's conversations, the one with the newest message first.
            models.Index("profile", F("last_message_at").desc(), F("id").desc(), name="member_latest"),
            # How many of them wait to be read, counted in the index alone; what is read leaves it.
            models.Index("profile", name="member_unread", condition=Q(unread_count__gt=0, is_muted=False)),
            # Whoever waits for an answer of an agent, the longest first: a handful of rows at any time.
            models.Index("answer_due_at", name="member_answer_due", condition=Q(answer_due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} in {self.conversation_id}"


class Message(models.Model):
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages", db_index=False)
    sender = models.ForeignKey(Profile, models.CASCADE, related_name="+", db_index=False)
    body = models.TextField(validators=[MaxLengthValidator(MAX_MESSAGE_LENGTH)])
    needs_human_input = models.BooleanField(default=False)
    # Written by a model in the name of the sender, without anybody having read it before.
    is_generated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            # A conversation's messages, newest first.
            models.Index("conversation", F("id").desc(), name="message_conversation_newest"),
            # Deleting a profile looks for what it sent.
            models.Index("sender", name="message_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.sender_id} in {self.conversation_id}"
