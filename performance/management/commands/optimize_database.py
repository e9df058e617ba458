from typing import Any

from django.core.management.base import BaseCommand, CommandError

from performance.upkeep import upkeep


class Command(BaseCommand):
    help = "Do the periodic upkeep: fresh statistics, expired entries, invalid indexes, and what the apps add."

    def handle(self, **options: Any) -> None:
        failed = []
        for name, run in upkeep().items():
            try:
                self.stdout.write(f"{name}: {run()}")
            except Exception as error:
                # One task that fails must not keep the others from running.
                failed.append(name)
                self.stderr.write(self.style.ERROR(f"{name}: {error}"))
        if failed:
            raise CommandError(f"Failed: {', '.join(failed)}.")
