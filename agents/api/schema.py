"""How the views become OpenAPI: keys, pages, problem documents and the Idempotency-Key header."""

import re
from functools import cache
from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers
from rest_framework.serializers import BaseSerializer


class FieldError(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Path of the field, for example persona.topics[0].")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = FieldError(many=True, required=False)  # type: ignore[assignment]


@cache
def page_of(serializer_class: type[BaseSerializer[Any]]) -> BaseSerializer[Any]:
    """Describe one page of a list."""
    return inline_serializer(
        f"PageOf{serializer_class.__name__}",
        {
            "results": serializer_class(many=True),
            "next_cursor": serializers.CharField(allow_null=True, help_text="Null on the last page."),
        },
    )


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "agents.api.authentication.ApiKeyAuthentication"
    name = ["bearerKey", "headerKey"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key from /api/auth/token or /api/keys."},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        ]


class AviarySchema(AutoSchema):
    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/").split("/")[0]]

    def get_operation_id(self) -> str:
        return "_".join([self.method.lower(), *re.findall(r"\w+", self.path.removeprefix("/api/"))])

    def get_override_parameters(self) -> list[Any]:
        handler = getattr(self.view, self.method.lower())
        if not getattr(handler, "is_idempotent", False):
            return []
        return [
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "pattern": "^[!-~]{1,200}$"},
                OpenApiParameter.HEADER,
                description="Send the same key again to get the same answer instead of a second effect.",
            )
        ]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction=direction)
        problem = OpenApiResponse(Problem, description="What is wrong, as problem details.")
        media_types = ["application/problem+json"]
        bodies["default"] = self._get_response_for_code(  # type: ignore[no-untyped-call]
            problem, "default", media_types=media_types
        )
        return bodies
