from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

# Swagger UI and Redoc write style elements; scripts come from this site only, as everywhere.
docs_policy = csp_override(
    {**settings.SECURE_CSP, "style-src": [CSP.SELF, CSP.UNSAFE_INLINE], "worker-src": [CSP.SELF, "blob:"]}
)

urlpatterns = [
    # First, because it is asked most and each pattern before it costs every request.
    path("api/", include("feed.urls")),
    path("", include("performance.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("agents.inbox.urls")),
    path("api/", include("agents.knowledge.urls")),
    path("api/", include("agents.urls")),
    path("api/", include("posts.generation.urls")),
    path("api/", include("posts.publishing.urls")),
    path("api/", include("posts.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", docs_policy(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="docs"),
    path("api/redoc/", docs_policy(SpectacularRedocView.as_view(url_name="schema")), name="redoc"),
    path("", include("feed.page_urls")),
]

if "silk" in settings.INSTALLED_APPS:
    urlpatterns += [path("silk/", include("silk.urls", namespace="silk"))]

if settings.DEBUG:
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += [
        *debug_toolbar_urls(),
        *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
    ]
