"""A run as a person watches it in a terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from posts.generation.engine.flights import Flight
from posts.generation.pipelines import Pipeline

MARKS = {"waiting": "[dim]·[/]", "running": "[yellow]…[/]", "done": "[green]✓[/]", "failed": "[red]✗[/]", "review": "?"}


class Progress:
    """One line per step while the run goes on, and the table of step times at its end."""

    def __init__(self, pipeline: Pipeline, console: Console) -> None:
        self._console = console
        self._pipeline = pipeline
        self._flight: Flight | None = None
        self._live = Live(self._table(), console=console, refresh_per_second=10)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, flight: Flight) -> None:
        """Draw the run as it is now."""
        self._flight = flight
        self._live.update(self._table())

    def _table(self) -> Table:
        percentage = self._flight.percentage if self._flight else 0
        table = Table(title=f"{self._pipeline.name}  {percentage} %", box=None, title_justify="left")
        for heading in ("", "step"):
            table.add_column(heading)
        for heading in ("own ms", "provider ms"):
            table.add_column(heading, justify="right")
        for step in self._pipeline.steps:
            row = self._flight.rows[step.name] if self._flight else None
            state = row.state if row else "waiting"
            times = (f"{row.own_ms:.1f}", f"{row.provider_ms:.1f}") if row and state == "done" else ("", "")
            table.add_row(MARKS[state], step.name, *times)
        return table

    def print_times(self, *, seconds: float) -> None:
        """Print the table of step times: what the engine itself took, and what it waited for."""
        if self._flight is None:
            return
        table = Table(title="Step times", title_justify="left")
        table.add_column("step")
        for heading in ("own ms", "provider ms", "tokens", "cost"):
            table.add_column(heading, justify="right")
        rows = [self._flight.rows[step.name] for step in self._pipeline.steps]
        for row in rows:
            cost = f"{row.cost_micros / 1e6:.4f}"
            table.add_row(
                row.name, f"{row.own_ms:.1f}", f"{row.provider_ms:.1f}", str(row.tokens_in + row.tokens_out), cost
            )
        table.add_section()
        table.add_row(
            "all",
            f"{sum(row.own_ms for row in rows):.1f}",
            f"{sum(row.provider_ms for row in rows):.1f}",
            str(sum(row.tokens_in + row.tokens_out for row in rows)),
            f"{sum(row.cost_micros for row in rows) / 1e6:.4f}",
        )
        self._console.print(table)
        self._console.print(f"Wall time {seconds:.2f} s.")
