from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Case, F, TextField, Value, When
from django.db.models.fields.files import FieldFile
from django.db.models.functions import Concat
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from agents.api.parsers import UNPRINTABLE, printable

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


class Surrogates(ProhibitSurrogateCharactersValidator):
    """What DRF refuses, found without a look at each character in Python, which took most of a long post's check."""

    def __call__(self, value: Any) -> None:
        if UNPRINTABLE.search(str(value)):
            super().__call__(value)


class StrictSerializer(serializers.Serializer[Any]):
    """Validate input and refuse fields that it does not know, by name."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for field in fields.values():
            field.validators = [
                Surrogates() if isinstance(each, ProhibitSurrogateCharactersValidator) else each
                for each in field.validators
            ]
        return fields

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            raise serializers.ValidationError({printable(name): ["Unknown field."] for name in sorted(unknown)})
        return super().to_internal_value(data)


def example(title: str, /, **value: Any) -> Callable[[type[StrictSerializer]], type[StrictSerializer]]:
    """Show an example of this input in the API's documentation."""
    return extend_schema_serializer(examples=[OpenApiExample(title, value, request_only=True)])


class MediaField(serializers.ImageField):
    """An uploaded file as its URL, or null; the names of uploads need no quoting."""

    def to_representation(self, value: FieldFile) -> str | None:  # type: ignore[override]
        return f"{settings.MEDIA_URL}{value.name}" if value else None

    def as_expression(self, path: str) -> Case:
        """Return what `to_representation` does, in SQL."""
        url = Concat(Value(settings.MEDIA_URL), F(path), output_field=TextField())
        return Case(When(**{path: ""}, then=None), default=url, output_field=TextField())


class PageQuery(StrictSerializer):
    """The query parameters of every list."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)
    cursor = serializers.CharField(max_length=500, required=False)
