from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from agents.models import Session, User
from agents.sessions import DEVICE, SINCE, SessionStore, device_of
from performance.caches import invalidate_user_cache


def name_session(*, session: SessionBase, user_agent: str) -> None:
    """Note in a new session where and when it began."""
    session[DEVICE] = device_of(user_agent)
    session[SINCE] = timezone.now().isoformat()


def end_other_sessions(*, user: User, keep: str | None) -> int:
    """Log a person out everywhere but in the session `keep`; return from how many."""
    keys = list(Session.objects.filter(user=user).exclude(pk=keep or "").values_list("pk", flat=True))
    for key in keys:
        # From the cache too: it is asked first.
        SessionStore(key).delete()
    invalidate_user_cache(user.profile.pk)
    return len(keys)
