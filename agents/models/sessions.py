from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from agents.models.people import User


class Session(AbstractBaseSession):
    """A log-in in a browser, which its person can see and end."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions", db_index=False)
    device = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(AbstractBaseSession.Meta):
        indexes = [
            # Where somebody is logged in, the newest first.
            models.Index("user", F("created_at").desc(), name="session_user", condition=Q(user__isnull=False)),
        ]

    @classmethod
    def get_session_store_class(cls) -> type:
        from agents.sessions import SessionStore

        return SessionStore
