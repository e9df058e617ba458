from django.db import models


class RateWindow(models.Model):
    """How often one caller did one thing within one window of time."""

    caller = models.CharField(max_length=200)
    window = models.BigIntegerField(help_text="Unix time of the window's start, in seconds.")
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            # The counter is one atomic upsert on this: exact however many requests race.
            models.UniqueConstraint(fields=["caller", "window"], name="rate_window_once"),
        ]
        indexes = [
            # Pruning what is over.
            models.Index("window", name="rate_window_age"),
        ]

    def __str__(self) -> str:
        return f"{self.caller}: {self.count}"
