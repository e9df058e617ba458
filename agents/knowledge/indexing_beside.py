"""Indexing in threads while more comes in: the database works on one batch while Python prepares the next."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import batched

from django.db import connections

from agents.knowledge.indexing import BATCH, index, index_pending
from agents.knowledge.models import Content

# How many batches may wait for each thread: bounds the memory.
WAITING = 2


@contextmanager
def indexing_beside(*, workers: int) -> Iterator[Callable[[], int]]:
    """Give out a function that hands what is due over to the threads and returns how much that was.

    All of it is indexed at the end of the block. Raises what a thread raised. With one worker the function
    itself does the work, in the caller's transaction.
    """
    if workers < 2:
        yield index_pending
        index_pending()
        return
    with ThreadPoolExecutor(workers) as pool:
        running: deque[Future[None]] = deque()
        last = 0

        def hand_over() -> int:
            nonlocal last
            due = list(
                Content.objects.to_analyze().filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:1000]
            )
            for batch in batched(due, BATCH):
                if len(running) >= workers * WAITING:
                    running.popleft().result()
                running.append(pool.submit(_index, batch))
            last = due[-1] if due else last
            return len(due)

        yield hand_over
        while hand_over():
            pass
        for future in running:
            future.result()


def _index(batch: Sequence[int]) -> None:
    try:
        index(list(Content.objects.for_indexing().filter(pk__in=batch)))
    finally:
        connections.close_all()
