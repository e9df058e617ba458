"""A process that moves credits without end and says after each commit how far it is."""

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import django

django.setup()

from django.db import connections  # noqa: E402

from agents.knowledge.models import Account, LedgerEntry  # noqa: E402
from agents.knowledge.services import ledger  # noqa: E402

BATCH = 10


def keys_of(batch: int) -> list[str]:
    return [f"killed {batch} {number}" for number in range(BATCH)]


def write(database: str, wallet_id: int, acknowledged: Connection, first: int) -> None:
    connections["default"].settings_dict["NAME"] = database
    wallet, house = Account.objects.get(pk=wallet_id), ledger.house()
    batch = first
    while True:
        ledger.post_transfers(
            ledger.Transfer(wallet, house, 1, LedgerEntry.Kind.GENERATION, key) for key in keys_of(batch)
        )
        acknowledged.send(batch)
        batch += 1


def start(database: str, wallet_id: int, acknowledged: Connection, *, first: int) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=write, args=(database, wallet_id, acknowledged, first), daemon=True)
    process.start()
    return process
