from typing import Any

from django.http import FileResponse, Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.idempotency import idempotent
from agents.api.schema import page_of
from agents.api.serializers import PageQuery
from agents.api.views import ApiView
from agents.models import Profile
from feed import exports
from feed.models import Export
from feed.serializers import ExportRead
from performance.budgets import Budget

# Sent at once and not piece by piece: a slow reader of a larger file keeps a thread busy.
AT_ONCE_BYTES = 32_000_000


def get_export(export_id: int, owner: Profile) -> Export:
    """Return an export of the owner's; for others it does not exist (`Http404`)."""
    export = Export.objects.filter(pk=export_id, owner=owner).first()
    if export is None:
        raise Http404("There is no such export.")
    return export


def send_file(export: Export) -> HttpResponse:
    """Answer the file. Raises `Http404` for one that is not ready or no more."""
    if export.state != Export.State.READY:
        raise Http404("This export is not ready.")
    name = f"aviary-{export.asked_at:%Y-%m-%d}.zip"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    try:
        file = export.file.open()
    except FileNotFoundError:
        raise Http404("This export has expired.") from None
    if export.size_bytes > AT_ONCE_BYTES:
        return FileResponse(file, content_type="application/zip", headers=headers)  # type: ignore[return-value]
    with file:
        return HttpResponse(file.read(), content_type="application/zip", headers=headers)


class ExportsView(ApiView):
    """Everything of the caller's and of their agents', as a ZIP file of JSON lines that a worker builds."""

    budget = {
        "GET": Budget(statements=2, p95_ms=25, kilobytes=5),
        "POST": Budget(statements=9, p95_ms=50, kilobytes=1),
    }
    scopes = {"GET": "manage", "POST": "manage"}

    @extend_schema(parameters=[PageQuery], responses=page_of(ExportRead))
    def get(self, request: Request) -> Response:
        return self.page(Export.objects.filter(owner=self.actor), ExportRead)

    @extend_schema(request=None, responses={202: ExportRead})
    @idempotent
    def post(self, request: Request) -> Response:
        export: Any = exports.ask_for_export(owner=self.actor)
        return Response(ExportRead(export).data, status=202)


class ExportView(ApiView):
    """How far an export is: `asked`, `ready` or `failed`. Ask again every few seconds; the file is kept for a week."""

    scopes = {"GET": "manage"}

    @extend_schema(responses=ExportRead)
    def get(self, request: Request, export_id: int) -> Response:
        return Response(ExportRead(get_export(export_id, self.actor)).data)


class ExportFileView(ApiView):
    scopes = {"GET": "manage"}

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, export_id: int) -> HttpResponse:
        return send_file(get_export(export_id, self.actor))
