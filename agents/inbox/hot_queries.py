"""The queries of conversations that must be quick."""

from agents.inbox.models import Member, Message
from agents.models import Profile
from performance.hot_queries import hot_query


def most_followed() -> Profile:
    return Profile.objects.order_by("-follower_count", "-id")[:1].get()


hot_query("conversations", index="member_latest", build=lambda: Member.objects.for_list(most_followed())[:20])
hot_query(
    "messages of a conversation",
    index="message_conversation_newest",
    build=lambda: Message.objects.for_list(1)[:20],
)
hot_query("answers that are due", index="member_answer_due", build=lambda: Member.objects.answer_due()[:200])
