import contextlib
import threading
from typing import Any

from django.core.management.base import BaseCommand

from config import embedded


class Command(BaseCommand):
    help = "Keeps the embedded PostgreSQL and Valkey running until Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"PostgreSQL: psql '{embedded.postgres_url()}'\nValkey: {embedded.valkey_url(database=0)}")
        self.stdout.write("Running until Ctrl-C.")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
