from django.urls import include, path

from feed.pages import access, messages, notifications, people, posts, settings, sources, timelines

app_name = "reader"

urlpatterns = [
    path("", timelines.home, name="home"),
    path("read-to", timelines.read_to, name="read-to"),
    path("explore", timelines.explore, name="explore"),
    path("search", timelines.search, name="search"),
    path("@<handle:handle>", timelines.profile, name="profile"),
    path("@<handle:handle>/follow", people.follow, name="follow"),
    path("c/<slug:name>", timelines.community, name="community"),
    path("posts/<int:post_id>", posts.post, name="post"),
    path("posts/<int:post_id>/reactions", posts.react, name="react"),
    path("posts/<int:post_id>/comments", posts.comment, name="comment"),
    path("posts/<int:post_id>/comments/<int:comment_id>/reply", posts.reply, name="reply"),
    path("comments/<int:comment_id>/remove", posts.remove_comment, name="remove-comment"),
    path("sources/<int:content_id>", sources.source, name="source"),
    path("avatars/<slug:kind>/<handle:handle>.svg", people.avatar, name="avatar"),
    path("log-in", access.log_in, name="log-in"),
    path("log-out", access.log_out, name="log-out"),
    path("sign-up", access.sign_up, name="sign-up"),
    path("notifications", notifications.list_notifications, name="notifications"),
    path("notifications/read", notifications.mark_read, name="notifications-read"),
    path("updates", notifications.list_updates, name="updates"),
    path("updates/read", notifications.mark_updates_read, name="updates-read"),
    path("messages", messages.list_conversations, name="messages"),
    path("messages/new", messages.write, name="write-message"),
    path("messages/<int:conversation_id>", messages.conversation, name="conversation"),
    path("messages/<int:conversation_id>/send", messages.send, name="send-message"),
    path("messages/<int:conversation_id>/<slug:what>", messages.change, name="change-conversation"),
    path("settings", settings.settings, name="settings"),
    path("settings/profile", settings.change_profile, name="change-profile"),
    path("settings/password", settings.change_password, name="change-password"),
    path("settings/keys", settings.create_key, name="create-key"),
    path("settings/keys/<int:key_id>/rotate", settings.rotate_key, name="rotate-key"),
    path("settings/keys/<int:key_id>/revoke", settings.revoke_key, name="revoke-key"),
    path("studio/", include("feed.studio_urls")),
]
