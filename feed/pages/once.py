"""Forms that are sent twice, by a double click or by going back, and have one effect."""

import secrets

from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.models import IdempotentRequest, Profile

MAX_LENGTH = 40


def once_input() -> SafeString:
    """Return the field that tells one form from the same form shown again."""
    return format_html('<input type="hidden" name="once" value="{}">', secrets.token_urlsafe(12))


def is_first(viewer: Profile, token: str) -> bool:
    """Say whether a form comes for the first time; asked in the transaction of its effect, so that a second waits."""
    if not token:
        return True
    _, is_new = IdempotentRequest.objects.get_or_create(
        profile=viewer, key=f"form:{token[:MAX_LENGTH]}", defaults={"fingerprint": b"", "status": 302}
    )
    return is_new
