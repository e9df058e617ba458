"""One effect per key, however often and however concurrently it is asked for."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction

from agents.models import IdempotentRequest, Profile


class StillRunning(Exception):
    """The first request under this key has not finished."""


class OtherRequest(Exception):
    """The key was used for another request."""


@dataclass(frozen=True)
class Answer:
    """What a request was answered with, and whether that was remembered rather than done now."""

    status: int
    body: str
    is_replayed: bool = False


def run_once(*, profile: Profile, key: str, content: str, action: Callable[[], Answer], waits: bool = False) -> Answer:
    """Do something at most once per profile and key, and answer a repetition as the first time.

    `content` is what the request asks for. Effect and stored answer are one transaction, so a crash leaves both or
    neither; an action that raises is not remembered. Raises `OtherRequest` for other content under the same key, and
    `StillRunning` while the first is still at it, unless this one `waits`.
    """
    fingerprint = hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()
    with transaction.atomic():
        _lock(profile.pk, key, waits=waits)
        stored = IdempotentRequest.objects.filter(profile=profile, key=key).first()
        if stored is None:
            answer = action()
            IdempotentRequest.objects.create(
                profile=profile, key=key, fingerprint=fingerprint, status=answer.status, body=answer.body
            )
            return answer
    if bytes(stored.fingerprint) != fingerprint:
        raise OtherRequest
    return Answer(stored.status, stored.body, is_replayed=True)


def _lock(profile_id: int, key: str, *, waits: bool) -> None:
    function = "pg_advisory_xact_lock" if waits else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, %s))", [key, profile_id])
        if cursor.fetchone()[0] is False:
            raise StillRunning
