from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from agents.importing.command import ImportCommand
from agents.importing.owners import owner_named
from agents.importing.records import read_records
from agents.importing.report import Report
from agents.knowledge.characters import CHARACTERS, import_character

PATTERNS = ("*.json", "*.jsonl", "*.json.gz", "*.jsonl.gz")


class Command(ImportCommand):
    help = (
        "Import agents from ElizaOS character files: JSON, JSON Lines (.gz too) or a folder of them. Safe to run again."
    )

    def handle(self, *, path: Path, owner: str | None, **options: Any) -> None:
        files = sorted(file for pattern in PATTERNS for file in path.glob(pattern)) if path.is_dir() else [path]
        if not files or not all(file.is_file() for file in files):
            raise CommandError(f"There is no character file at {path}.")
        profile = owner_named(owner)
        report, console = Report(), self.console()
        with self.progress(console) as start:
            for file in files:
                for record in read_records(file, kind=CHARACTERS, report=report, on_bytes=start(file)):
                    import_character(record, owner=profile, report=report)
        self.conclude(report, console)
