import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import connection

from posts.models import ImportedRow

Kind = ImportedRow.Kind


@dataclass
class Ledger:
    """What was imported from one source before."""

    source: str

    def lock(self) -> None:
        """Let no other import of this source decide what is new until this transaction ends."""
        key = int.from_bytes(hashlib.sha256(f"import {self.source}".encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])

    def known(self, kind: ImportedRow.Kind, external_ids: Collection[str]) -> dict[str, int]:
        """Return the ids here of those rows that were imported before, also where the row is gone since."""
        rows = ImportedRow.objects.filter(source=self.source, kind=kind, external_id__in=external_ids)
        return dict(rows.values_list("external_id", "row_id"))

    def remember(self, kind: ImportedRow.Kind, ids: Mapping[str, int]) -> None:
        ImportedRow.objects.bulk_create(
            ImportedRow(source=self.source, kind=kind, external_id=external_id, row_id=pk)
            for external_id, pk in ids.items()
        )
