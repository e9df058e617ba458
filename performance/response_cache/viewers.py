"""Who a request acts as: told by the view, remembered per credential."""

from collections import OrderedDict
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone

from performance.caches.valkey import UNREACHABLE, key
from performance.caches.wire import ask_all

ENVIRON_KEY = "performance.viewer"
SESSION_SECONDS = 30
# A credential stands for the same viewer as long as it exists.
REMEMBERED_SECONDS = 86_400
MOST_REMEMBERED = 10_000


class Viewer(NamedTuple):
    """Whom an answer is for, and how many seconds their credential lasts (None: it does not expire)."""

    tag: str
    lasts_seconds: int | None


def note_viewer(
    environ: dict[str, Any], profile_id: int | None, *, expires_at: datetime | None = None, by_session: bool = False
) -> None:
    """Say whom the answer to this request is for; only then may it be kept."""
    lasts = None if expires_at is None else int((expires_at - timezone.now()).total_seconds())
    if by_session:
        lasts = SESSION_SECONDS
    environ[ENVIRON_KEY] = Viewer(viewer_tag(profile_id), lasts)


def viewer_tag(profile_id: int | None) -> str:
    return "nobody" if profile_id is None else f"profile:{profile_id}"


class Credentials:
    """Which viewer a credential stands for, as far as this process or another has been told."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()

    def viewer_of(self, credential: str) -> str | None:
        """Return the tag of a credential's viewer, or None when nobody knows it yet."""
        if not credential:
            return viewer_tag(None)
        name = key("credential", credential)
        if (tag := self._known.get(name)) is not None:
            return tag
        replies = ask_all(("GET", name))
        if replies is UNREACHABLE or not isinstance(replies[0], bytes):
            return None
        return self._remember(name, replies[0].decode("ascii", "replace"))

    def learn(self, credential: str, tag: str) -> None:
        name = key("credential", credential)
        if credential and self._known.get(name) != tag:
            self._remember(name, tag)
            ask_all(("SET", name, tag, "EX", str(REMEMBERED_SECONDS)))

    def _remember(self, name: str, tag: str) -> str:
        self._known[name] = tag
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return tag


def carries_session(cookies: str) -> bool:
    return bool(cookies) and f"{settings.SESSION_COOKIE_NAME}=" in cookies
