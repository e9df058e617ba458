"""kill -9 of whoever writes the ledger: what was acknowledged stands, what was not is there whole or not at all."""

import multiprocessing
import random
import signal

import pytest
from django.db import connection
from django.db.models import Count, Sum

from agents.knowledge.models import Account, LedgerEntry
from agents.knowledge.services import ledger
from agents.models import Profile
from tests.faults import ledger_writer
from tests.faults.conftest import Measure

pytestmark = pytest.mark.django_db(transaction=True)

KILLS, KILLS_IN_FULL = 3, 60
ANSWER_SECONDS = 60


def killed_writer(wallet: Account, *, first: int, acknowledgements: int) -> int:
    """Let a process write until it has acknowledged so many batches, kill it; return the last it acknowledged."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = ledger_writer.start(connection.settings_dict["NAME"], wallet.pk, sender, first=first)
    sender.close()
    last = first - 1
    for _ in range(acknowledgements):
        assert receiver.poll(ANSWER_SECONDS)
        last = receiver.recv()
    process.kill()
    process.join(10)
    assert process.exitcode == -signal.SIGKILL
    try:
        while receiver.poll(0):
            last = receiver.recv()
    except EOFError:
        pass
    return last


def test_a_killed_writer_loses_no_entry_of_the_ledger(alice: Profile, measure: Measure, is_full: bool) -> None:
    ledger.grant(profile=alice, amount_micro=1_000_000, idempotency_key="for the killed")
    ledger.house()
    wallet = ledger.wallet_of(alice)
    chance = random.Random(6)
    kills, lost, halves, first = KILLS_IN_FULL if is_full else KILLS, 0, 0, 0
    for _ in range(kills):
        last = killed_writer(wallet, first=first, acknowledgements=chance.randint(1, 8))
        # The batch after the last acknowledged one may have been committed as well.
        for batch in range(first, last + 2):
            entries = LedgerEntry.objects.filter(idempotency_key__in=ledger_writer.keys_of(batch)).count()
            lost += batch <= last and entries != 2 * ledger_writer.BATCH
            halves += entries not in (0, 2 * ledger_writer.BATCH)
        first = last + 2
    measure(f"batches of the ledger lost in {kills} kills", lost, goal=0, unit="batches")
    measure(f"batches of the ledger written in part in {kills} kills", halves, goal=0, unit="batches")
    assert (lost, halves) == (0, 0)
    for account in Account.objects.annotate(booked=Sum("entries__amount_micro")):
        assert account.balance_micro == (account.booked or 0)
    assert not LedgerEntry.objects.values("idempotency_key").annotate(sides=Count("pk")).exclude(sides=2).exists()
