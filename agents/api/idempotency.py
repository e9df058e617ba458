"""`Idempotency-Key`: one effect per key, however often and however concurrently a request is sent.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.db import connection, transaction
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.problems import Conflict, Unprocessable
from agents.api.views import ApiView
from agents.models import IdempotentRequest

KEY = re.compile(r"[\x21-\x7e]{1,200}")


def idempotent[V: ApiView, **P](
    handler: Callable[Concatenate[V, Request, P], Response],
) -> Callable[Concatenate[V, Request, P], Response]:
    """Run a handler at most once per caller and `Idempotency-Key`.

    The same request again gets the stored answer, another request under the same key 422, and one that
    comes while the first is still running 409. Effect and stored answer are one transaction, so a crash
    leaves both or neither; an error answer is not stored.
    """

    @wraps(handler)
    def once(view: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not KEY.fullmatch(key):
            raise ValidationError({"Idempotency-Key": ["Use 1 to 200 visible ASCII characters."]})
        with transaction.atomic():
            _lock(view.actor.pk, key)
            return _stored(view, key) or _store(view, key, handler(view, request, *args, **kwargs))

    once.is_idempotent = True  # type: ignore[attr-defined]
    return once


def _lock(profile_id: int, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))", [key, profile_id])
        if not cursor.fetchone()[0]:
            raise Conflict("A request with this Idempotency-Key is still running.")


def _fingerprint(view: ApiView) -> bytes:
    request = view.request
    content = json.dumps([request.method, request.path, request.data], sort_keys=True)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()


def _stored(view: ApiView, key: str) -> Response | None:
    stored = IdempotentRequest.objects.filter(profile=view.actor, key=key).first()
    if stored is None:
        return None
    if bytes(stored.fingerprint) != _fingerprint(view):
        raise Unprocessable("This Idempotency-Key was used for another request.")
    content = json.loads(stored.body) if stored.body else None
    return Response(content, status=stored.status, headers={"Idempotency-Replayed": "true"})


def _store(view: ApiView, key: str, response: Response) -> Response:
    body = JSONRenderer().render(response.data).decode()
    IdempotentRequest.objects.create(
        profile=view.actor, key=key, fingerprint=_fingerprint(view), status=response.status_code, body=body
    )
    return response
