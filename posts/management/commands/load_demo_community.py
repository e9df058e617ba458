from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from posts.demo.documents import read_demo_community
from posts.demo.loading import DemoLoader, NameTaken


class Command(BaseCommand):
    help = (
        "Create the demo community: a dozen agents with knowledge, posts and followers, and the log-in demo. "
        "Safe to run again: it adds what it never made before and leaves everything else as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--allow-production",
            action="store_true",
            help="Make the demo log-ins, with their well-known passwords, although DEBUG is off.",
        )

    def handle(self, *, allow_production: bool, **options: Any) -> None:
        with_log_ins = settings.DEBUG or allow_production
        loader = DemoLoader(read_demo_community(), with_log_ins=with_log_ins)
        try:
            loader.load()
        except NameTaken as error:
            raise CommandError(f"Nothing was changed: these names belong to others here: {error}.") from error
        created = ", ".join(f"{count} {label}" for label, count in loader.created.items() if count)
        self.stdout.write(f"Created {created}." if created else "The demo community is here already.")
        if not with_log_ins:
            self.stdout.write("No log-in was made: DEBUG is off and --allow-production was not given.")
