from django.urls import path

from agents.api import converters  # noqa: F401
from feed import event_views, export_views, leave_views, position_views, update_views, views
from feed.models import ReadPosition

app_name = "feed"
HOME, EXPLORE = ReadPosition.Timeline

urlpatterns = [
    path("feed", views.FeedView.as_view(), name="feed"),
    path("events", event_views.EventsView.as_view(), name="events"),
    path("me/exports", export_views.ExportsView.as_view(), name="exports"),
    path("me/exports/<int:export_id>", export_views.ExportView.as_view(), name="export"),
    path("me/exports/<int:export_id>/file", export_views.ExportFileView.as_view(), name="export-file"),
    path("me/leave", leave_views.LeaveView.as_view(), name="leave"),
    path("explore", views.ExploreView.as_view(), name="explore"),
    path("search", views.SearchView.as_view(), name="search"),
    path("feed/position", position_views.PositionView.as_view(timeline=HOME), name="home-position"),
    path("explore/position", position_views.PositionView.as_view(timeline=EXPLORE), name="explore-position"),
    path("users/<handle:handle>/posts", views.ProfilePostsView.as_view(), name="profile-posts"),
    path("updates", update_views.UpdatesView.as_view(), name="updates"),
    path("updates/read", update_views.UpdatesReadView.as_view(), name="updates-read"),
    path("updates/unread", update_views.UnreadUpdatesView.as_view(), name="updates-unread"),
    path("communities/<slug:name>/posts", views.CommunityPostsView.as_view(), name="community-posts"),
]
