from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from performance.budgets import render
from performance.documents import PERFORMANCE, section_of, write_section


class Command(BaseCommand):
    help = "Write the budgets that the views declare into docs/performance.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when the section is stale")

    def handle(self, *, check: bool, **options: Any) -> None:
        if check:
            if section_of(PERFORMANCE, "budgets") != render():
                raise CommandError("docs/performance.md is stale: run manage.py write_budgets.")
        elif write_section(PERFORMANCE, "budgets", render()):
            self.stdout.write(f"Wrote {PERFORMANCE}.")
