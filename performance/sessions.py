"""Django's sessions in PostgreSQL, read through the named caches: losing Valkey logs nobody out and stops nobody.

What is cached is the signed text, so that nobody who can write to Valkey can write a session, and nothing is
unpickled. A session that ends is gone at once: its tag is invalidated, if need be when Valkey is back.
"""

from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone

from performance.caches import caches, invalidate, invalidate_now


class SessionStore(db.SessionStore):
    """The engine, for whichever table a subclass names."""

    def load(self) -> dict[str, Any]:
        try:
            kept = caches["sessions"].get_or_compute(str(self.session_key), self._stored, tags=[_tag(self.session_key)])
            match kept:
                case [str(text), float(expires_at)] if expires_at > timezone.now().timestamp():
                    data: dict[str, Any] = self.decode(text)
                    return data
        except LookupError:
            pass
        self._session_key = None
        return {}

    def _stored(self) -> list[Any]:
        session = self._get_session_from_db()  # type: ignore[attr-defined]
        if session is None:
            raise LookupError
        return [session.session_data, session.expire_date.timestamp()]

    def save(self, must_create: bool = False) -> None:
        super().save(must_create)
        kept = [self.encode(self._get_session()), self.get_expiry_date().timestamp()]  # type: ignore[attr-defined]
        caches["sessions"].set(str(self.session_key), kept, tags=[_tag(self.session_key)])

    def delete(self, session_key: str | None = None) -> None:
        super().delete(session_key)
        ended = session_key or self.session_key
        if ended is not None:
            # Now, and once more for whoever reads the row before the transaction around this ends.
            invalidate_now([_tag(ended)])
            invalidate(_tag(ended))


def _tag(session_key: str | None) -> str:
    return f"session:{session_key}"
