"""Sessions that know whose they are, in a table of their own."""

from datetime import datetime
from itertools import chain
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.base_session import AbstractBaseSession

from performance import sessions

DEVICE, SINCE = "device", "since"
# What tells them apart, the most telling first: every browser also names its ancestors.
BROWSERS = {"Firefox": "Firefox", "Edg": "Edge", "OPR": "Opera", "Chrome": "Chrome", "Safari": "Safari", "curl": "curl"}
SYSTEMS = {"Android": "Android", "iPhone": "an iPhone", "iPad": "an iPad", "Windows": "Windows"}
SYSTEMS |= {"Mac OS X": "a Mac", "Linux": "Linux"}


class SessionStore(sessions.SessionStore):
    """The engine that `SESSION_ENGINE` names."""

    @classmethod
    def get_model_class(cls) -> type[AbstractBaseSession]:
        from agents.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row: Any = super().create_model_instance(data)
        if SESSION_KEY in data:
            row.user_id = int(data[SESSION_KEY])
        row.device = data.get(DEVICE, "")
        if SINCE in data:
            row.created_at = datetime.fromisoformat(data[SINCE])
        return row  # type: ignore[no-any-return]


def device_of(user_agent: str) -> str:
    """Name a device as its owner would: Firefox on Windows."""
    found = [[name for mark, name in marks.items() if mark in user_agent][:1] for marks in (BROWSERS, SYSTEMS)]
    return " on ".join(chain.from_iterable(found))
