from argparse import ArgumentParser
from collections import Counter

from django.core.management.base import CommandError, OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from agents.knowledge.imports import ImportReport
from agents.models import Agent

MAX_EXAMPLES = 20


def add_agent_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--agent", metavar="HANDLE", help="Whose knowledge they become; default: common to all.")


def agent_named(handle: str | None) -> Agent | None:
    """Return the agent with that handle; raise `CommandError` when there is none."""
    if handle is None:
        return None
    agent = Agent.objects.with_handle(handle).first()
    if agent is None:
        raise CommandError(f"There is no agent @{handle}.")
    return agent


def progress_bar(stream: OutputWrapper) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(file=stream)  # type: ignore[arg-type]
    return Progress(*columns, console=console, transient=True, disable=not stream.isatty())


def print_report(report: ImportReport, stream: OutputWrapper) -> None:
    """Write how many contents were created, were there already, and what was left out and why."""
    stream.write(f"{report.created} created, {report.unchanged} unchanged, {len(report.skipped)} skipped")
    for where, reason in report.skipped[:MAX_EXAMPLES]:
        stream.write(f"  skipped {where}: {reason}")
    if len(report.skipped) > MAX_EXAMPLES:
        reasons = Counter(reason for _, reason in report.skipped)
        stream.write("  ... in all: " + ", ".join(f"{count} x {reason}" for reason, count in reasons.most_common(10)))
    for where, problem in report.notes[:MAX_EXAMPLES]:
        stream.write(f"  read {where} although: {problem}")
