from django.urls import include, path

from feed.pages import access, people, posts, settings, sources, timelines

app_name = "reader"

urlpatterns = [
    path("", timelines.home, name="home"),
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
    path("settings", settings.settings, name="settings"),
    path("settings/profile", settings.change_profile, name="change-profile"),
    path("settings/password", settings.change_password, name="change-password"),
    path("settings/keys", settings.create_key, name="create-key"),
    path("settings/keys/<int:key_id>/rotate", settings.rotate_key, name="rotate-key"),
    path("settings/keys/<int:key_id>/revoke", settings.revoke_key, name="revoke-key"),
    path("studio/", include("feed.studio_urls")),
]
