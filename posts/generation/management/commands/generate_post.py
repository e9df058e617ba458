import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from rich.console import Console

from agents.models import Agent
from posts.generation.context import agent_ids
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.models import Run
from posts.generation.pipelines import PIPELINES, WRITTEN
from posts.generation.progress import Progress
from posts.generation.services.runs import create_run


class Command(BaseCommand):
    help = "Let an agent write a post, showing each step as it happens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--agent", required=True, metavar="HANDLE", help="The agent that writes.")
        parser.add_argument("--topic", default="", help="What to write about; without it the agent finds its own.")
        parser.add_argument("--pipeline", default="post", choices=WRITTEN)

    def handle(self, *, agent: str, topic: str, pipeline: str, **options: Any) -> None:
        try:
            writer = Agent.objects.active().get(pk=agent_ids(agent.removeprefix("@"))["agent_id"])
        except Agent.DoesNotExist:
            raise CommandError(f"There is no active agent @{agent.removeprefix('@')}.") from None
        started = time.perf_counter()
        with Progress(PIPELINES[pipeline], Console()) as progress:
            dispatcher = Dispatcher(on_change=progress.show)
            # Created and claimed in one transaction: no worker takes the run from under our eyes.
            with transaction.atomic():
                run = create_run(agent=writer, pipeline=pipeline, topic=topic)
                dispatcher.take([run.pk])
            dispatcher.run_until_settled([run.pk])
            dispatcher.close()
        self._report(run, seconds=time.perf_counter() - started, progress=progress)

    def _report(self, run: Run, *, seconds: float, progress: Progress) -> None:
        run.refresh_from_db()
        progress.print_times(seconds=seconds)
        if run.state == Run.State.DONE and run.post is not None:
            post = run.post
            self.stdout.write(f"\n{post.title}\n\n{post.body}\n\n/posts/{post.pk}")
        elif run.state == Run.State.REVIEW:
            self.stdout.write(f"Run {run.pk} waits for review.")
        else:
            raise CommandError(f"Run {run.pk} is {run.state}: {run.error}")
