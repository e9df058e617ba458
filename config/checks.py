"""System checks for settings that contradict each other."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register
def check_pool_or_persistent(**kwargs: Any) -> list[CheckMessage]:
    default = settings.DATABASES["default"]
    if default.get("OPTIONS", {}).get("pool") and default["CONN_MAX_AGE"] != 0:
        return [
            Error(
                "DB_POOL_SIZE and CONN_MAX_AGE are both set.",
                hint="The pool keeps its connections itself: set one of the two.",
                id="aviary.E001",
            )
        ]
    return []


@register
def check_replica_has_primary(**kwargs: Any) -> list[CheckMessage]:
    if os.environ.get("REPLICA_URL") and not os.environ.get("DATABASE_URL"):
        return [
            Error(
                "REPLICA_URL is set without DATABASE_URL.",
                hint="The embedded PostgreSQL has no replica: set DATABASE_URL to the primary.",
                id="aviary.E002",
            )
        ]
    return []


@register(Tags.caches)
def check_cache_is_not_broker(**kwargs: Any) -> list[CheckMessage]:
    if settings.CACHES["default"]["LOCATION"] == settings.CELERY_BROKER_URL:
        return [
            Error(
                "CACHE_URL and BROKER_URL name the same database.",
                hint="Clearing the cache would drop queued tasks: use another database number, as in /1.",
                id="aviary.E003",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def check_somebody_ends_tls(**kwargs: Any) -> list[CheckMessage]:
    if settings.SECURE_SSL_REDIRECT and not settings.SECURE_PROXY_SSL_HEADER:
        return [
            Warning(
                "SECURE_SSL_REDIRECT is on, but no proxy is trusted to say that a request came by HTTPS.",
                hint="Set TRUSTED_PROXY=1 behind a proxy that sets X-Forwarded-Proto.",
                id="aviary.W001",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def check_services_are_yours(**kwargs: Any) -> list[CheckMessage]:
    missing = [name for name in ("DATABASE_URL", "CACHE_URL", "BROKER_URL") if not os.environ.get(name)]
    if missing:
        return [
            Warning(
                f"{', '.join(missing)} not set: the embedded services are tuned for a laptop and have no backup.",
                id="aviary.W002",
            )
        ]
    return []
