"""A process that takes articles in, a batch at a time, and says after each how many it has been through."""

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import django

django.setup()

from django.db import connections  # noqa: E402

from agents.importing.records import Record  # noqa: E402
from agents.importing.report import Report  # noqa: E402
from agents.knowledge import articles  # noqa: E402

BATCH = 5


def records(count: int) -> list[Record]:
    return [
        Record(f"a.jsonl:{number}", {"title": f"Bird {number}", "body_markdown": f"The {number}th bird sings. " * 20})
        for number in range(count)
    ]


def take_in(database: str, acknowledged: Connection, count: int) -> None:
    connections["default"].settings_dict["NAME"] = database
    articles.BATCH = BATCH
    for done, piece in enumerate(articles.pieces_of_articles(records(count)), start=1):
        piece(Report())
        acknowledged.send(done * BATCH)


def start(database: str, acknowledged: Connection, *, count: int) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=take_in, args=(database, acknowledged, count), daemon=True)
    process.start()
    return process
