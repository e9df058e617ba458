from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from agents.importing.report import Finding, Report

OUTCOMES = ("created", "unchanged", "skipped")


class ImportCommand(BaseCommand):
    """A command that reads files of outside data, shows how far it is and says what it left out."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--owner", metavar="USERNAME", help="Owner of new agents; default: a person `importer`.")

    def console(self) -> Console:
        # Rich writes pieces of lines; Django would end each of them.
        self.stdout.ending = ""
        return Console(file=self.stdout, highlight=False, markup=False, emoji=False)  # type: ignore[arg-type]

    @contextmanager
    def progress(self, console: Console) -> Iterator[Callable[[Path], Callable[[int], None]]]:
        """Yield a function that starts the bar of a file and returns one that moves it, in bytes."""
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as progress:

            def start(path: Path) -> Callable[[int], None]:
                task = progress.add_task(path.name, total=path.stat().st_size)
                return lambda done: progress.update(task, completed=done)

            yield start

    def conclude(self, report: Report, console: Console) -> None:
        """Print the summary. Raises `CommandError` when not one row could be read."""
        table = Table("", *OUTCOMES, box=None, header_style="bold")
        for kind in report.kinds:
            table.add_row(kind, *(f"{report.outcomes[kind, outcome]:,}" for outcome in OUTCOMES))
        console.print(table)
        self._list(console, "Left out", report.skipped)
        self._list(console, "Stored, but", report.notes)
        if not report.read:
            raise CommandError("Nothing could be read.")

    def _list(self, console: Console, heading: str, findings: dict[tuple[str, str], Finding]) -> None:
        for (kind, reason), finding in findings.items():
            more = ", ..." if finding.count > len(finding.places) else ""
            console.print(
                f"{heading}: {finding.count:,} {kind}: {reason} ({', '.join(finding.places)}{more})", soft_wrap=True
            )
