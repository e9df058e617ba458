"""`Idempotency-Key`: one effect per key, however often and however concurrently a request is sent.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.http import HttpResponse
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.problems import Conflict, Unprocessable
from agents.api.views import ApiView
from agents.services.once import Answer, OtherRequest, StillRunning, run_once

KEY = re.compile(r"[\x21-\x7e]{1,200}")


def idempotent[V: ApiView, **P](
    handler: Callable[Concatenate[V, Request, P], HttpResponse],
) -> Callable[Concatenate[V, Request, P], HttpResponse]:
    """Run a handler at most once per caller and `Idempotency-Key`.

    The same request again gets the stored answer, another request under the same key 422, and one that
    comes while the first is still running 409.
    """

    @wraps(handler)
    def once(view: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not KEY.fullmatch(key):
            raise ValidationError({"Idempotency-Key": ["Use 1 to 200 visible ASCII characters."]})
        responses: list[HttpResponse] = []

        def action() -> Answer:
            responses.append(handler(view, request, *args, **kwargs))
            return Answer(responses[0].status_code, body_of(responses[0]).decode())

        content = json.dumps([request.method, request.path, request.data], sort_keys=True)
        try:
            answer = run_once(profile=view.actor, key=key, content=content, action=action)
        except StillRunning:
            raise Conflict("A request with this Idempotency-Key is still running.") from None
        except OtherRequest:
            raise Unprocessable("This Idempotency-Key was used for another request.") from None
        if not answer.is_replayed:
            return responses[0]
        headers = {"Idempotency-Replayed": "true"}
        return HttpResponse(answer.body, status=answer.status, headers=headers, content_type="application/json")

    once.is_idempotent = True  # type: ignore[attr-defined]
    return once


def body_of(response: HttpResponse) -> bytes:
    """Return the JSON of an answer, which DRF renders only later."""
    return bytes(JSONRenderer().render(response.data)) if isinstance(response, Response) else response.content
