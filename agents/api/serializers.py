from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


def printable(name: object) -> str:
    """Return a name from outside so that it can be shown: bounded, and valid UTF-8."""
    return str(name)[:100].encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


class StrictSerializer(serializers.Serializer[Any]):
    """Validate input and refuse fields that it does not know, by name."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            raise serializers.ValidationError({printable(name): ["Unknown field."] for name in sorted(unknown)})
        return super().to_internal_value(data)


def example(title: str, /, **value: Any) -> Callable[[type[StrictSerializer]], type[StrictSerializer]]:
    """Show an example of this input in the API's documentation."""
    return extend_schema_serializer(examples=[OpenApiExample(title, value, request_only=True)])


class PageQuery(StrictSerializer):
    """The query parameters of every list."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)
    cursor = serializers.CharField(max_length=500, required=False)
