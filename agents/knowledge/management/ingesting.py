from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection

from agents.importing.command import ImportCommand
from agents.importing.report import Report
from agents.knowledge.beside import Piece, do_all
from agents.knowledge.ingest import Start, is_address
from agents.knowledge.retrieval.lexemes import refresh_lexemes
from agents.models import Agent

# Two for whom the database works, on two cores, and one that prepares what comes next.
WORKERS = 3


class IngestCommand(ImportCommand):
    """A command that takes in what it is given the names of, in pieces; safe to run again."""

    metavar = "PATH|URL"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="+", metavar=self.metavar)
        parser.add_argument("--agent", metavar="HANDLE", help="Whose knowledge they become; default: common to all.")
        parser.add_argument("--workers", type=int, default=WORKERS, help=f"Threads; default: {WORKERS}.")

    def pieces(self, name: str, *, report: Report, agent: Agent | None, start: Start) -> Generator[Piece]:
        """Yield the work of taking in one name."""
        raise NotImplementedError

    def handle(self, *, names: list[str], agent: str | None, workers: int, **options: Any) -> None:
        knower = agent_named(agent)
        found = [path for name in names for path in files_of(name)]
        report, console = Report(), self.console()
        with self.progress(console) as start:
            pieces = (piece for name in found for piece in self.pieces(name, report=report, agent=knower, start=start))
            do_all(pieces, report=report, workers=workers)
        if any(report.outcomes[kind, "created"] for kind in report.kinds):
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE knowledge_passage")
            refresh_lexemes()
        self.conclude(report, console)


def agent_named(handle: str | None) -> Agent | None:
    """Return the agent with that handle; raise `CommandError` when there is none."""
    if handle is None:
        return None
    agent = Agent.objects.with_handle(handle).first()
    if agent is None:
        raise CommandError(f"There is no agent @{handle}.")
    return agent


def files_of(name: str) -> Iterator[str]:
    """Yield the files of a folder, or the file or address itself. Raises `CommandError` when there is none."""
    if is_address(name):
        yield name
    elif Path(name).is_dir():
        yield from (str(path) for path in sorted(Path(name).rglob("*")) if path.is_file())
    elif Path(name).is_file():
        yield name
    else:
        raise CommandError(f"{name} is neither a file nor a folder nor an address.")
