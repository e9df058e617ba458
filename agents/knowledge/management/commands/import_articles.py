from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.knowledge.imports import ImportReport, import_articles
from agents.knowledge.management.importing import add_agent_argument, agent_named, print_report, progress_bar


class Command(BaseCommand):
    help = "Import Markdown articles from JSON Lines files (.gz too) as contents. Safe to run again."

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
            for path in files:
                task = progress.add_task(path.name, total=None)
                import_articles(path, report=report, agent=knower, advance=partial(progress.advance, task))
        print_report(report, self.stdout)
