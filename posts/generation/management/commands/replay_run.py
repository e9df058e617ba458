from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from posts.generation.models import Run
from posts.generation.replaying import replay


class Command(BaseCommand):
    help = "Run a finished run again from its recorded answers, offline, and compare every step and the post."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run_id", type=int, metavar="ID")

    def handle(self, *, run_id: int, **options: Any) -> None:
        run = Run.objects.for_replay().filter(pk=run_id, state=Run.State.DONE).first()
        if run is None:
            raise CommandError(f"There is no finished run {run_id}.")
        differing = 0
        for name, differences in replay(run):
            differing += bool(differences)
            self.stdout.write(f"{name}: {'differs in ' + ', '.join(differences) if differences else 'the same'}")
        if differing:
            raise CommandError(f"{differing} of the steps came out differently.")
        self.stdout.write(f"The same post, byte for byte: /posts/{run.post_id}")
