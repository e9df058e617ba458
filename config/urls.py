from django.contrib import admin
from django.urls import include, path

handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("agents.urls")),
    path("api/", include("posts.urls")),
]
