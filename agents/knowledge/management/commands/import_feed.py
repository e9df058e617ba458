from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.knowledge.imports import ImportReport, import_feed, read_document
from agents.knowledge.management.importing import add_agent_argument, agent_named, print_report, progress_bar
from agents.knowledge.parsing.bounded import UnparsableDocument


class Command(BaseCommand):
    help = "Import the entries of RSS or Atom feeds (files, .gz too) as contents. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        add_agent_argument(parser)

    def handle(self, *, files: list[Path], agent: str | None, **options: Any) -> None:
        knower = agent_named(agent)
        for path in files:
            if not path.is_file():
                raise CommandError(f"{path} is not a file.")
        report = ImportReport()
        with progress_bar(self.stdout) as progress:
            for path in progress.track(files, description="Feeds"):
                try:
                    import_feed(read_document(path), where=path.name, report=report, agent=knower)
                except UnparsableDocument as reason:
                    report.skipped.append((path.name, str(reason)))
        print_report(report, self.stdout)
