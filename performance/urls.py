from django.urls import path

from performance.views import caches, health, metrics

app_name = "performance"

urlpatterns = [
    path("health/", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("health/performance", health.performance, name="health"),
    path("health/cache/clear", health.clear_caches, name="clear-caches"),
    path("health/cache/cleanup", health.clean_caches, name="clean-caches"),
    path("api/health/pool", health.pool, name="pool"),
    path("performance/", metrics.dashboard, name="dashboard"),
    path("performance/figures", metrics.figures, name="figures"),
    path("performance/metrics", metrics.metrics, name="metrics"),
    path("performance/cache-stats", caches.cache_stats, name="cache-stats"),
    path("performance/cleanup-cache", health.clean_caches, name="cleanup-cache"),
    path("metrics", metrics.for_prometheus, name="prometheus"),
]
