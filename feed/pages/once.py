"""Forms that are sent twice, by a double click or by going back, and have one effect."""

import json
import re
import secrets
from collections.abc import Callable

from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.models import Profile
from agents.services.once import Answer, run_once
from feed.pages.viewers import PageRequest

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,40}")
# What differs from one showing of a form to the next.
NOT_CONTENT = {"once", "csrfmiddlewaretoken"}
SENT_ALREADY = "This form was sent already, with another text. Send it again if you mean both."


def once_input() -> SafeString:
    """Return the field that tells one form from the same form shown again."""
    return format_html('<input type="hidden" name="once" value="{}">', secrets.token_urlsafe(12))


def act_once(request: PageRequest, viewer: Profile, action: Callable[[], str]) -> str:
    """Do what a form asks for once, however often it is sent; return what the first time returned.

    Raises `OtherRequest` when it comes with other content: somebody went back and wrote anew.
    """
    token = request.POST.get("once", "")
    if not TOKEN.fullmatch(token):
        return action()
    asked = sorted((name, values) for name, values in request.POST.lists() if name not in NOT_CONTENT)
    answer = run_once(
        profile=viewer,
        key=f"form:{token}",
        content=json.dumps([request.path, asked]),
        action=lambda: Answer(302, action()),
        waits=True,
    )
    return answer.body
