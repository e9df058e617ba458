import datetime as dt
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Avg
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from posts.generation.budgets import caps_of
from posts.generation.models import Cadence, Run
from posts.generation.schedule import merged

WINDOW = dt.timedelta(minutes=5)


class Command(BaseCommand):
    help = "Show what would be written when, at what cost, and what clashes; nothing is written and nobody called."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=7)
        parser.add_argument("--agent", default="", metavar="HANDLE")
        parser.add_argument("--at-once", type=int, default=5, help="How many runs in five minutes are a clash.")

    def handle(self, *, days: int, agent: str, at_once: int, **options: Any) -> None:
        cadences = Cadence.objects.active().select_related("agent__profile", "agent__cadence")
        if agent:
            cadences = cadences.filter(agent__profile__handle__lower=agent.removeprefix("@").lower())
        start = timezone.now()
        slots = list(merged(list(cadences), start, start + dt.timedelta(days=days)))
        costs = {pipeline: self._usual_cost(pipeline) for pipeline in {cadence.pipeline for _, cadence in slots}}
        self._print(slots, costs, at_once)

    @staticmethod
    def _usual_cost(pipeline: str) -> tuple[float, float]:
        """Return the tokens and money (millionths) that finished runs of a pipeline took on average."""
        done = Run.objects.with_totals().filter(pipeline=pipeline, state=Run.State.DONE)
        usual = done.aggregate(usual_tokens=Avg("tokens"), usual_micros=Avg("cost_micros"))
        return usual["usual_tokens"] or 0.0, usual["usual_micros"] or 0.0

    def _print(
        self, slots: list[tuple[dt.datetime, Cadence]], costs: dict[str, tuple[float, float]], at_once: int
    ) -> None:
        table = Table(title=f"{len(slots)} runs", title_justify="left")
        for heading in ("when (UTC)", "agent", "pipeline", "tokens", "cost", "clash"):
            table.add_column(heading)
        windows = Counter(_window(slot) for slot, _ in slots)
        spent: Counter[tuple[int, dt.date]] = Counter()
        for slot, cadence in slots:
            tokens, micros = costs[cadence.pipeline]
            day = (cadence.pk, slot.date())
            spent[day] += round(tokens)
            clashes = [f"{windows[_window(slot)]} at once"] if windows[_window(slot)] > at_once else []
            clashes += ["over budget"] if spent[day] > caps_of(cadence.agent)[0] else []
            table.add_row(
                f"{slot:%a %Y-%m-%d %H:%M}",
                f"@{cadence.agent.profile.handle}",
                cadence.pipeline,
                f"{tokens:.0f}",
                f"{micros / 1e6:.4f}",
                ", ".join(clashes),
            )
        console = Console(file=self.stdout)  # type: ignore[arg-type]
        console.print(table)
        total = sum(costs[cadence.pipeline][1] for _, cadence in slots)
        console.print(f"{len(slots)} runs, {total / 1e6:.4f} in all, by what finished runs took on average.")


def _window(slot: dt.datetime) -> int:
    return int(slot.timestamp() // WINDOW.total_seconds())
