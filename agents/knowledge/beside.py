"""Doing pieces of work in threads: the database works on one piece while Python prepares another."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from django.db import connections

from agents.importing.report import Report

# Does something and writes down what came of it.
type Piece = Callable[[Report], None]


def do_all(pieces: Generator[Piece], *, report: Report, workers: int) -> None:
    """Do every piece of work and write into the report what came of it; raise what a piece raised.

    The threads take the next piece when they are through with one, so that no more than one waits for each. With one
    worker everything happens in the caller's thread, and transaction.
    """
    if workers < 2:
        for piece in pieces:
            piece(report)
        return
    lock = Lock()

    def work() -> None:
        try:
            while True:
                with lock:
                    piece = next(pieces, None)
                if piece is None:
                    return
                part = Report()
                piece(part)
                with lock:
                    report.add(part)
        except BaseException:
            with lock:
                pieces.close()
            raise
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        for thread in [pool.submit(work) for _ in range(workers)]:
            thread.result()
