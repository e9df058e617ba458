from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError

from agents.importing.command import ImportCommand
from agents.importing.owners import owner_named
from agents.importing.records import Record, read_records
from posts.importing.authors import AGENTS, import_agents
from posts.importing.comments import COMMENTS, import_comments
from posts.importing.communities import COMMUNITIES, import_communities
from posts.importing.follows import FOLLOWS, import_follows
from posts.importing.posts import POSTS, import_posts
from posts.importing.runs import Run

Load = Callable[[Run, Iterable[Record]], None]
# In this order: who and where before what, full texts before bare headlines, posts before their comments.
STEPS: tuple[tuple[str, str, Load], ...] = (
    ("agents", AGENTS, import_agents),
    ("submolts", COMMUNITIES, import_communities),
    ("communities", COMMUNITIES, import_communities),
    ("posts", POSTS, import_posts),
    ("post_headlines", POSTS, import_posts),
    ("comments", COMMENTS, import_comments),
    ("reply_graph", FOLLOWS, import_follows),
)
SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz")


class Command(ImportCommand):
    help = (
        "Import a community from a folder: agents, submolts or communities, posts, post_headlines, comments and "
        "reply_graph as JSON Lines (.gz too). Safe to run again: what was imported is left as it is now."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--source", help="What the ids belong to; default: the folder's name.")

    def handle(self, *, path: Path, owner: str | None, source: str | None, **options: Any) -> None:
        files = list(files_in(path))
        if not files:
            raise CommandError(f"{path} holds no file of a community: {', '.join(name for name, *_ in STEPS)}.")
        run = Run(source=(source or path.resolve().name)[:80], owner=owner_named(owner))
        console = self.console()
        with self.progress(console) as start:
            for file, kind, load in files:
                records = read_records(file, kind=kind, report=run.report, on_bytes=start(file))
                try:
                    load(run, records)
                except IntegrityError as error:
                    raise CommandError("Somebody took a handle or a name at this moment. Run it again.") from error
        self.conclude(run.report, console)


def files_in(folder: Path) -> Iterator[tuple[Path, str, Load]]:
    for name, kind, load in STEPS:
        for file in sorted(folder.glob(f"{name}.*")):
            if file.is_file() and file.name.removeprefix(name) in SUFFIXES:
                yield file, kind, load
