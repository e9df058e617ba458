from collections.abc import Generator
from pathlib import Path

from agents.importing.records import read_records
from agents.importing.report import Report
from agents.knowledge.articles import ARTICLES, pieces_of_articles
from agents.knowledge.beside import Piece
from agents.knowledge.ingest import Start
from agents.knowledge.management.ingesting import IngestCommand
from agents.models import Agent


class Command(IngestCommand):
    help = "Take in Markdown articles from JSON Lines files (.gz too) and index them. Safe to run again."
    metavar = "FILE"

    def pieces(self, name: str, *, report: Report, agent: Agent | None, start: Start) -> Generator[Piece]:
        records = read_records(Path(name), kind=ARTICLES, report=report, on_bytes=start(Path(name)))
        yield from pieces_of_articles(records, agent=agent)
