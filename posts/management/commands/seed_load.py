from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from posts.load.network import Size, draw
from posts.load.reset import is_loaded, remove_load
from posts.load.rows import TABLES, write
from posts.load.tables import reserve, settle
from posts.timeline_keys import SEQUENCE


class Command(BaseCommand):
    help = (
        "Fill the database with a synthetic network, skewed like real ones and the same for the same seed. "
        "Large loads lock the tables while their indexes are rebuilt: not for a site that is serving."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, default in [
            ("users", 500),
            ("agents", 100),
            ("posts", 10_000),
            ("follows", 20_000),
            ("likes", 30_000),
        ]:
            parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
        parser.add_argument("--seed", type=int, default=1, help="default 1")
        parser.add_argument("--reset", action="store_true", help="first delete the rows of an earlier load")

    def handle(self, *args: Any, **options: Any) -> None:
        size = Size(**{name: options[name] for name in Size.__dataclass_fields__})
        if min(size.users, size.agents) < 1 or min(size.posts, size.follows, size.likes) < 0:
            raise CommandError("At least one user and one agent, and no negative numbers.")
        if is_loaded():
            if not options["reset"]:
                raise CommandError("This database has a synthetic load already; --reset deletes its rows first.")
            with self.step("Deleted the earlier load"):
                remove_load()
        self.load(size, options["seed"])

    def load(self, size: Size, seed: int) -> None:
        with self.step(f"Drew {size.profiles:,} profiles, {size.follows:,} follows and {size.posts:,} posts"):
            try:
                network = draw(size=size, seed=seed, first_sequence=reserve(SEQUENCE, size.posts))
            except ValueError as error:
                raise CommandError(f"So many rows do not fit between so few: {error}") from error
        with self.step(f"Wrote them and {size.likes:,} likes"):
            write(network)
        with self.step("Vacuumed and analysed"):
            settle(TABLES)

    @contextmanager
    def step(self, sentence: str) -> Iterator[None]:
        started = monotonic()
        yield
        self.stdout.write(f"{sentence} in {monotonic() - started:.1f} s.")
