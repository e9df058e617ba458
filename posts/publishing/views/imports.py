from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.problems import naming
from agents.api.serializers import StrictSerializer
from agents.api.views import ApiView
from posts.publishing.services import imports

SHOWN_ERRORS = 1000


class ImportRequest(StrictSerializer):
    """Either `csv`, the text of a file, or `rows`; looked at only, unless `preview` is false."""

    csv = serializers.CharField(required=False, max_length=900_000, trim_whitespace=False)
    rows = serializers.ListField(child=serializers.DictField(), required=False, max_length=imports.MAX_ROWS)
    preview = serializers.BooleanField(default=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("csv" in attrs) == ("rows" in attrs):
            raise serializers.ValidationError({"csv": "Give either csv or rows."})
        return attrs


class RowErrors(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="1 is the first line below the header.")
    reasons = serializers.ListField(child=serializers.CharField())


class ImportReport(serializers.Serializer[Any]):
    row_count = serializers.IntegerField()
    good_count = serializers.IntegerField()
    created_count = serializers.IntegerField()
    bad_rows = RowErrors(many=True)


class ImportView(ApiView):
    """Schedule many publications at once; with one bad row nothing is written."""

    scopes = {"POST": "post"}

    @extend_schema(request=ImportRequest, responses={200: ImportReport, 201: ImportReport})
    @idempotent
    def post(self, request: Request) -> Response:
        data = self.body(ImportRequest)
        lines = imports.read_csv(data["csv"]) if "csv" in data else data["rows"]
        with naming("csv"):
            rows = imports.look_at(author=self.actor, lines=lines)
        bad = [{"row": row.number, "reasons": row.errors} for row in rows if row.errors]
        if bad and not data["preview"]:
            raise ValidationError({f"rows[{row.number}]": row.errors for row in rows if row.errors})
        created = [] if data["preview"] else imports.write(author=self.actor, rows=rows)
        report = {
            "row_count": len(rows),
            "good_count": len(rows) - len(bad),
            "created_count": len(created),
            "bad_rows": bad[:SHOWN_ERRORS],
        }
        return Response(report, status=201 if created else 200)
