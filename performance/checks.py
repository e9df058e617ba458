"""System checks of monitoring."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

SHORTEST_KEY = 32


@register(Tags.security)
def check_silk_stays_out_of_production(**kwargs: Any) -> list[CheckMessage]:
    if "silk" not in settings.INSTALLED_APPS:
        return []
    errors: list[CheckMessage] = []
    if not settings.DEBUG and not getattr(settings, "IS_STAGING", False):
        errors.append(
            Error(
                "Silk is installed in production.",
                hint="It writes every request to the database: use config.settings.staging to sample requests.",
                id="performance.E001",
            )
        )
    if "silk.middleware.SilkyMiddleware" in settings.MIDDLEWARE or not (
        getattr(settings, "SILKY_AUTHENTICATION", False) and getattr(settings, "SILKY_AUTHORISATION", False)
    ):
        errors.append(
            Error(
                "Silk would keep bodies and parameters, or show them to anybody.",
                hint="Use performance.silk.MaskedSilkyMiddleware, SILKY_AUTHENTICATION and SILKY_AUTHORISATION.",
                id="performance.E002",
            )
        )
    return errors


@register(Tags.security)
def check_monitoring_key_is_long(**kwargs: Any) -> list[CheckMessage]:
    if settings.MONITORING_KEY and len(settings.MONITORING_KEY) < SHORTEST_KEY:
        return [
            Error(
                f"MONITORING_KEY has fewer than {SHORTEST_KEY} characters.",
                hint='Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"',
                id="performance.E003",
            )
        ]
    return []


@register
def check_webhook_is_http(**kwargs: Any) -> list[CheckMessage]:
    url = settings.ALERT_WEBHOOK_URL
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        return [Error("ALERT_WEBHOOK_URL is not an http or https URL.", id="performance.E004")]
    return []
