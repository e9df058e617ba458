from collections.abc import Generator
from functools import partial
from typing import Any

from agents.knowledge.beside import Piece
from agents.knowledge.ingest import ingest_feed
from agents.knowledge.management.ingesting import IngestCommand
from agents.models import Agent


class Command(IngestCommand):
    help = "Take in RSS or Atom feeds (files, .gz too, or addresses) and index them. Safe to run again."
    metavar = "FILE|URL"

    def pieces(self, name: str, *, agent: Agent | None, **options: Any) -> Generator[Piece]:
        yield partial(ingest_feed, name, agent=agent)
