import time
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand
from rich.console import Console

from performance.db_monitor import monitor


class Command(BaseCommand):
    help = "Show connections by state, pool queue, waits, locks and slow queries of every database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--watch", action="store_true", help="show them again and again until Ctrl-C")
        parser.add_argument("--interval", type=float, default=2, help="seconds between two looks (default: 2)")

    def handle(self, *, watch: bool, interval: float, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout))
        monitor.print_stats(console)
        try:
            while watch:
                time.sleep(interval)
                console.clear()
                monitor.print_stats(console)
        except KeyboardInterrupt:
            return
