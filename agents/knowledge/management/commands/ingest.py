from collections.abc import Generator
from typing import Any

from agents.knowledge.beside import Piece
from agents.knowledge.ingest import pieces_of
from agents.knowledge.management.ingesting import IngestCommand


class Command(IngestCommand):
    help = "Take in articles, feeds, pages and texts (files, folders or addresses) and index them. Safe to run again."

    def pieces(self, name: str, **options: Any) -> Generator[Piece]:
        yield from pieces_of(name, **options)
