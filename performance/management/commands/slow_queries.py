from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.panel import Panel

from performance.slow_queries import SlowQuery, has_pg_stat_statements, slow_queries


class Command(BaseCommand):
    help = "Show the slowest statements that pg_stat_statements and silk saw, with plan and the index that would help."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, default=10, help="how many (default: 10)")

    def handle(self, *, limit: int, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout), soft_wrap=True)
        if not has_pg_stat_statements():
            console.print(
                "pg_stat_statements is not there: load it with shared_preload_libraries and CREATE EXTENSION."
            )
        for query in slow_queries(limit=limit):
            console.print(Panel(_describe(query), title=_figures(query), title_align="left"), markup=False)


def _figures(query: SlowQuery) -> str:
    p95 = "unknown" if query.p95_ms is None else f"{query.p95_ms:.2f} ms"
    figures = f"{query.calls} calls, mean {query.mean_ms:.2f} ms, P95 {p95}, max {query.max_ms:.2f} ms"
    return f"{figures} ({query.source})"


def _describe(query: SlowQuery) -> str:
    lines = [query.statement, f"Plan: {query.plan or 'unknown'}"]
    return "\n".join([*lines, f"Would help: {query.advice}"] if query.advice else lines)
