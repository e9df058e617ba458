from django.db import models


class ImportedRow(models.Model):
    """The memory of an import: this row of that source became the row `row_id` here.

    It outlives the row. What was deleted here stays deleted when the same data is imported again; hence no
    foreign key, which would cascade, and no external id on the row itself, which would go with it.
    """

    class Kind(models.TextChoices):
        PROFILE = "profile"
        COMMUNITY = "community"
        POST = "post"
        COMMENT = "comment"
        FOLLOW = "follow"
        CONTENT = "content"

    source = models.CharField(max_length=80)
    kind = models.CharField(max_length=9, choices=Kind)
    external_id = models.CharField(max_length=255)
    row_id = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # One row here per row there, however often and however concurrently it is imported.
            models.UniqueConstraint(fields=["source", "kind", "external_id"], name="imported_row_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.kind} {self.external_id}"
