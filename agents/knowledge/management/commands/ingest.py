from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from agents.knowledge.imports import ImportReport
from agents.knowledge.indexing_beside import indexing_beside
from agents.knowledge.ingest import ingest, is_address
from agents.knowledge.management.importing import add_agent_argument, agent_named, print_report, progress_bar
from agents.knowledge.retrieval.lexemes import refresh_lexemes


class Command(BaseCommand):
    help = "Take in articles, feeds, pages and texts (files, folders or addresses) and index them. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="+", metavar="PATH|URL")
        add_agent_argument(parser)
        parser.add_argument("--workers", type=int, default=2, help="Threads that index while more is read; default: 2.")

    def handle(self, *, names: list[str], agent: str | None, workers: int, **options: Any) -> None:
        knower = agent_named(agent)
        found = [path for name in names for path in _files(name)]
        report = ImportReport()
        with indexing_beside(workers=workers) as hand_over, progress_bar(self.stdout) as progress:
            for name in progress.track(found, description="Reading"):
                ingest(name, report=report, agent=knower)
                hand_over()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE knowledge_passage")
        refresh_lexemes()
        print_report(report, self.stdout)


def _files(name: str) -> Iterator[str]:
    if is_address(name):
        yield name
    elif Path(name).is_dir():
        yield from (str(path) for path in sorted(Path(name).rglob("*")) if path.is_file())
    elif Path(name).is_file():
        yield name
    else:
        raise CommandError(f"{name} is neither a file nor a folder nor an address.")
