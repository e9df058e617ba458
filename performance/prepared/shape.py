"""From a read serializer to the SQL expression that gives the same JSON, key order included."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Case, F, Func, OuterRef, TextField, Value, When
from django.db.models.functions import Coalesce
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.settings import api_settings

# The one format of a moment that Python and PostgreSQL both write: settings.REST_FRAMEWORK names it.
MOMENT_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
_MOST_KEYS = 50

# Which model fields give in SQL what the serializer field gives in Python. No float: JSON written by
# PostgreSQL and by Python may differ in the last digit's form, and NaN is no JSON.
_SAME_IN_BOTH: dict[type[serializers.Field[Any, Any, Any, Any]], tuple[type[Any], ...]] = {
    serializers.CharField: (models.CharField, models.TextField),
    serializers.ChoiceField: (models.CharField, models.TextField, models.IntegerField),
    serializers.IntegerField: (models.IntegerField,),
    serializers.BigIntegerField: (models.IntegerField,),
    serializers.BooleanField: (models.BooleanField,),
    serializers.JSONField: (models.JSONField,),
    serializers.ListField: (ArrayField,),
    serializers.PrimaryKeyRelatedField: (models.ForeignKey, models.OneToOneField),
    serializers.SlugField: (models.CharField,),
    serializers.URLField: (models.CharField,),
    serializers.EmailField: (models.CharField,),
    serializers.RegexField: (models.CharField,),
}


class UnexpressibleFieldError(Exception):
    """A serializer field has no counterpart in SQL."""


class BuildJSON(Func):
    """json_build_object: unlike JSONB it keeps the order of the keys, and unlike JSON_OBJECT it is quick."""

    function = "json_build_object"
    output_field = TextField()


class Moment(Func):
    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    output_field = TextField()


class JSONList(Func):
    """A subquery of JSON objects as one JSON list, in the subquery's order."""

    template = "(SELECT json_agg(element.item) FROM (%(expressions)s) element(item))"
    output_field = TextField()


class EmptyList(Func):
    template = "'[]'::json"
    output_field = TextField()


def json_array(paths: Iterable[str]) -> Func:
    """Return the expression of a JSON list of these fields."""
    return Func(*(F(path) for path in paths), function="json_build_array", output_field=TextField())


def json_of(serializer_class: type[Any], model: type[models.Model]) -> Any:
    """Return the expression whose value is what the serializer would render for a row of the model.

    A serializer names the expressions of its computed fields in `Meta.expressions`: a name, and a function
    from the path of a field to an expression. A field class may do the same for itself in `as_expression`.
    Raises `UnexpressibleFieldError`, naming the field, for what cannot be said in SQL.
    """
    return _object(serializer_class(), model, "")


def _object(serializer: Any, model: type[models.Model] | None, prefix: str) -> BuildJSON:
    pairs: list[Any] = []
    for name, field in serializer.fields.items():
        if not field.write_only:
            expression = _Field(serializer, name, field, model, prefix).expression()
            pairs += [Value(name, output_field=TextField()), expression]
    if len(pairs) > 2 * _MOST_KEYS:
        raise UnexpressibleFieldError(f"{_name(serializer)} has more than {_MOST_KEYS} fields.")
    return BuildJSON(*pairs)


def _name(serializer: Any) -> str:
    return type(serializer).__name__


class _Field:
    def __init__(self, serializer: Any, name: str, field: Any, model: type[models.Model] | None, prefix: str) -> None:
        self.serializer = serializer
        self.name = name
        self.field = field
        self.model = model
        self.prefix = prefix
        self.steps = [] if field.source == "*" else field.source.split(".")
        self.path = "__".join(filter(None, [prefix, *self.steps]))
        self.is_optional = False

    def refuse(self, reason: str) -> UnexpressibleFieldError:
        return UnexpressibleFieldError(f"{_name(self.serializer)}.{self.name}: {reason}")

    def expression(self) -> Any:
        declared = self._declared()
        if declared is not None:
            return declared(lambda path: F("__".join(filter(None, [self.prefix, path]))))
        column = self._resolve()
        if isinstance(self.field, serializers.ListSerializer):
            return self._list(column)
        if isinstance(self.field, serializers.BaseSerializer):
            return self._nested(column)
        as_expression = getattr(self.field, "as_expression", None)
        if as_expression is not None:
            return as_expression(self.path)
        if isinstance(self.field, serializers.DateTimeField):
            return self._moment()
        return self._scalar(column)

    def _declared(self) -> Callable[[Any], Any] | None:
        expressions = getattr(getattr(self.serializer, "Meta", None), "expressions", {})
        found: Callable[[Any], Any] | None = expressions.get(self.name)
        return found

    def _resolve(self) -> Any:
        """Return the model field at the end of the source, or None for an annotation of the query."""
        model, column, is_reached_through_optional = self.model, None, False
        for step in self.steps:
            if model is None:
                raise self.refuse(f"{step} is not a relation of a model.")
            column = _field_of(model, step)
            if column is None and len(self.steps) == 1 and not self.prefix and not hasattr(model, step):
                return None
            if column is None:
                raise self.refuse(f"{model.__name__} has no field {step}; name its SQL in Meta.expressions.")
            self.is_optional |= _may_be_missing(column)
            is_reached_through_optional |= self.is_optional and step is not self.steps[-1]
            model = column.related_model
        if is_reached_through_optional and self.field.default is empty and not self.field.allow_null:
            raise self.refuse("without a default the key itself would be missing when the relation is.")
        if self.field.default not in (empty, None):
            raise self.refuse("only None can be the default.")
        return column

    def _nested(self, column: Any) -> Any:
        if column is None or column.related_model is None or column.one_to_many or column.many_to_many:
            raise self.refuse("its source is not one row of a model.")
        inner = _object(self.field, column.related_model, self.path)
        if not self.is_optional:
            return inner
        return Case(When(**{f"{self.path}__isnull": False}, then=inner), output_field=TextField())

    def _list(self, column: Any) -> Any:
        related = getattr(column, "related_model", None)
        if related is None or self.prefix or len(self.steps) != 1 or not column.one_to_many:
            raise self.refuse("its source is not a list of rows that point here.")
        ordering = related._meta.ordering
        if not ordering:
            raise self.refuse(f"{related.__name__} has no ordering, so the list would have none.")
        rows = related._default_manager.filter(**{column.field.name: OuterRef("pk")}).order_by(*ordering)
        items = rows.annotate(_item=_object(self.field.child, related, "")).values("_item")
        return Coalesce(JSONList(items), EmptyList())

    def _moment(self) -> Moment:
        written = getattr(self.field, "format", api_settings.DATETIME_FORMAT)
        if written != MOMENT_FORMAT:
            raise self.refuse(f"moments are written as {MOMENT_FORMAT}, not {written}.")
        return Moment(F(self.path))

    def _scalar(self, column: Any) -> F:
        known = _SAME_IN_BOTH.get(type(self.field))
        if known is None:
            raise self.refuse(f"{type(self.field).__name__} is not known in SQL; name it in Meta.expressions.")
        if column is not None and not isinstance(column, known):
            raise self.refuse(f"{type(self.field).__name__} would show a {type(column).__name__} differently.")
        return F(self.path)


def _field_of(model: type[models.Model], name: str) -> Any:
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    # `parent_id`, the column behind the relation `parent`, shows a key and not a row.
    return field.target_field if name != field.name and name == field.attname else field


def _may_be_missing(column: Any) -> bool:
    return bool(getattr(column, "null", False) or (column.auto_created and not column.concrete))
