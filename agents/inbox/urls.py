from django.urls import path

from agents.inbox.views import notifications

app_name = "inbox"

urlpatterns = [
    path("notifications", notifications.NotificationsView.as_view(), name="notifications"),
    path("notifications/read", notifications.ReadView.as_view(), name="notifications-read"),
    path("notifications/unread", notifications.UnreadView.as_view(), name="notifications-unread"),
]
