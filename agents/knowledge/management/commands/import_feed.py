from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.knowledge.fetching import FetchFailed, ForbiddenAddress
from agents.knowledge.fetching.polite import fetch_politely
from agents.knowledge.imports import ImportReport, import_feed, read_document
from agents.knowledge.ingest import is_address
from agents.knowledge.management.importing import add_agent_argument, agent_named, print_report, progress_bar
from agents.knowledge.parsing.bounded import UnparsableDocument


class Command(BaseCommand):
    help = "Import the entries of RSS or Atom feeds (files, .gz too, or addresses) as contents. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="+", metavar="FILE|URL")
        add_agent_argument(parser)

    def handle(self, *, names: list[str], agent: str | None, **options: Any) -> None:
        knower = agent_named(agent)
        for name in names:
            if not is_address(name) and not Path(name).is_file():
                raise CommandError(f"{name} is not a file.")
        report = ImportReport()
        with progress_bar(self.stdout) as progress:
            for name in progress.track(names, description="Feeds"):
                try:
                    document = fetch_politely(name).body if is_address(name) else read_document(Path(name))
                except (FetchFailed, ForbiddenAddress, UnparsableDocument) as reason:
                    report.skipped.append((name, str(reason)))
                    continue
                base = name if is_address(name) else ""
                import_feed(document, where=Path(name).name, report=report, agent=knower, base_url=base)
        print_report(report, self.stdout)
