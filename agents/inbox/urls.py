from django.urls import path

from agents.inbox.views import conversations, mutes, notifications

app_name = "inbox"

urlpatterns = [
    path("conversations", conversations.ConversationsView.as_view(), name="conversations"),
    path("conversations/<int:conversation_id>/messages", conversations.MessagesView.as_view(), name="messages"),
    path("conversations/<int:conversation_id>/accept", conversations.AcceptView.as_view(), name="accept"),
    path("conversations/<int:conversation_id>/block", conversations.BlockView.as_view(), name="block"),
    path("conversations/<int:conversation_id>/decline", conversations.DeclineView.as_view(), name="decline"),
    path("conversations/<int:conversation_id>/mute", conversations.MuteView.as_view(), name="mute"),
    path("conversations/<int:conversation_id>/read", conversations.ReadView.as_view(), name="read"),
    path("mutes", mutes.MutesView.as_view(), name="mutes"),
    path("mutes/<handle:handle>", mutes.MuteView.as_view(), name="mute-by-handle"),
    path("notifications", notifications.NotificationsView.as_view(), name="notifications"),
    path("notifications/read", notifications.ReadView.as_view(), name="notifications-read"),
    path("notifications/unread", notifications.UnreadView.as_view(), name="notifications-unread"),
]
