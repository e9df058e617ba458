"""kill -9 of whoever takes articles in: each is there whole or not at all, and a second run goes on from there."""

import multiprocessing
import signal

import pytest
from django.db import connection
from django.db.models import Count

from agents.importing.report import Report
from agents.knowledge.articles import ARTICLES, save_articles
from agents.knowledge.models import Content
from tests.faults import article_taker

pytestmark = pytest.mark.django_db(transaction=True)

ARTICLES_IN_ALL = 200
KILLS, KILLS_IN_FULL = 1, 20
ANSWER_SECONDS = 60


def killed_taker(*, acknowledgements: int) -> int:
    """Let a process acknowledge so many batches and kill it in the next; return how many articles it acknowledged."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = article_taker.start(connection.settings_dict["NAME"], sender, count=ARTICLES_IN_ALL)
    sender.close()
    done = 0
    for _ in range(acknowledgements):
        assert receiver.poll(ANSWER_SECONDS)
        done = receiver.recv()
    process.kill()
    process.join(10)
    assert process.exitcode == -signal.SIGKILL
    return done


def test_a_killed_ingest_leaves_whole_articles_and_goes_on_where_it_was(is_full: bool) -> None:
    for kill in range(1, 1 + (KILLS_IN_FULL if is_full else KILLS)):
        done = killed_taker(acknowledgements=1 + kill)
        stored = Content.objects.annotate(splits=Count("passages"))
        assert done <= stored.count() < ARTICLES_IN_ALL
        assert not stored.filter(splits=0).exists()
        assert not stored.filter(analyzed_at=None).exists()
    before = Content.objects.count()
    report = Report()
    save_articles(article_taker.records(ARTICLES_IN_ALL), report)
    assert report.outcomes[ARTICLES, "created"] == ARTICLES_IN_ALL - before
    assert Content.objects.count() == ARTICLES_IN_ALL
