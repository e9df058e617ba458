"""Errors as RFC 9457 problem details."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import islice
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from agents.api.parsers import MAX_ERRORS, BodyTooLarge

CONTENT_TYPE = "application/problem+json"
# Messages quote what was sent, which may be long.
MAX_DETAIL_LENGTH = 300


class Conflict(APIException):
    status_code = 409
    default_detail = "The request conflicts with the present state."
    default_code = "conflict"


class Unprocessable(APIException):
    status_code = 422
    default_detail = "The request cannot be processed as it is."
    default_code = "unprocessable"


def problem(status: int, detail: str, *, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """Build a problem document; `errors` holds one {field, code, detail} per field that is wrong."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        document["errors"] = errors
    return document


@contextmanager
def naming(field: str) -> Iterator[None]:
    """Say which field of the request a service's `ValidationError` is about; a service does not know."""
    try:
        yield
    except DjangoValidationError as error:
        raise ValidationError({field: error.messages}) from error


def problem_response(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception with a problem document; an unexpected one stays a 500 for the log."""
    if isinstance(exc, DjangoValidationError):
        exc = ValidationError(exc.message_dict if hasattr(exc, "error_dict") else exc.messages)
    if isinstance(exc, RequestDataTooBig):
        exc = BodyTooLarge()
    response = exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, ValidationError):
        errors = list(islice(_flatten(exc.detail), MAX_ERRORS))
        detail = "; ".join(f"{error['field']}: {error['detail']}" for error in errors[:3])
        response.data = problem(response.status_code, detail, errors=errors)
    else:
        response.data = problem(response.status_code, str(response.data.get("detail", "")))
    response.content_type = CONTENT_TYPE
    return response


def _flatten(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for name, below in detail.items():
            if name == api_settings.NON_FIELD_ERRORS_KEY:
                yield from _flatten(below, path)
            elif isinstance(name, int):
                yield from _flatten(below, f"{path}[{name}]")
            else:
                yield from _flatten(below, f"{path}.{name}" if path else name)
    elif isinstance(detail, list):
        for position, below in enumerate(detail):
            is_message = not isinstance(below, dict | list)
            yield from _flatten(below, path if is_message else f"{path}[{position}]")
    else:
        code = getattr(detail, "code", "invalid")
        yield {"field": path or "body", "code": code, "detail": str(detail)[:MAX_DETAIL_LENGTH]}
