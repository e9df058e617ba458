"""The ledger: credits move from account to account, and every move is written once and for good.

Amounts are integer micro-units: 1 credit = 1,000,000.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from agents.knowledge.models import Account, Author, LedgerEntry
from agents.models import Profile

CREDIT_MICRO = 1_000_000


class InsufficientFunds(Exception):
    """The account that is debited holds less than the amount."""


class KeyReused(Exception):
    """The idempotency key stands for another transfer already."""


@dataclass(frozen=True, slots=True)
class Transfer:
    debit: Account
    credit: Account
    amount_micro: int
    kind: str
    idempotency_key: str

    def entries(self) -> tuple[tuple[int, int, str, str], ...]:
        """Return account, amount, kind and key of both sides, the debit first."""
        return (
            (self.debit.pk, -self.amount_micro, self.kind, self.idempotency_key),
            (self.credit.pk, self.amount_micro, self.kind, self.idempotency_key),
        )


# Columns and not instances: making those took two thirds of the time.
_WRITE = """
INSERT INTO knowledge_ledgerentry (account_id, amount_micro, kind, idempotency_key, created_at)
SELECT entry.*, %s FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[]) AS entry
"""


def wallet_of(profile: Profile) -> Account:
    return Account.objects.get_or_create(profile=profile, kind=Account.Kind.WALLET)[0]


def hold_of(profile: Profile) -> Account:
    return Account.objects.get_or_create(profile=profile, kind=Account.Kind.HOLD)[0]


def earnings_of(author: Author) -> Account:
    return Account.objects.get_or_create(author=author, kind=Account.Kind.EARNINGS)[0]


def house() -> Account:
    return Account.objects.get_or_create(profile=None, author=None, kind=Account.Kind.HOUSE)[0]


def mint() -> Account:
    return Account.objects.get_or_create(profile=None, author=None, kind=Account.Kind.MINT)[0]


def post_transfer(*, debit: Account, credit: Account, amount_micro: int, kind: str, idempotency_key: str) -> bool:
    """Move an amount between two accounts; return False when this key moved it already.

    Raises `InsufficientFunds`, and `KeyReused` when the key moved something else.
    """
    transfer = Transfer(debit, credit, amount_micro, kind, idempotency_key)
    if amount_micro <= 0 or debit.pk == credit.pk:
        raise ValueError("A transfer moves a positive amount between two accounts.")
    try:
        post_transfers([transfer])
    except IntegrityError as error:
        if "ledger_entry_once" not in str(error):
            raise
        _check_same(transfer)
        return False
    return True


def post_transfers(transfers: Iterable[Transfer]) -> None:
    """Write many transfers in one statement: all of them or, with an exception, none.

    Raises `InsufficientFunds`, and `IntegrityError` when one of the keys was used before.
    """
    columns = [list(column) for column in zip(*(entry for each in transfers for entry in each.entries()), strict=True)]
    if not columns:
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_WRITE, [timezone.now(), *columns])
    except IntegrityError as error:
        if "account_not_overdrawn" in str(error):
            raise InsufficientFunds("The account holds less than the amount.") from None
        raise


def _check_same(transfer: Transfer) -> None:
    rows = LedgerEntry.objects.filter(idempotency_key=transfer.idempotency_key).order_by("amount_micro")
    written = [(row.account_id, row.amount_micro, row.kind) for row in rows]
    meant = [(account, amount, kind) for account, amount, kind, _ in transfer.entries()]
    if written != meant:
        raise KeyReused(f"The key {transfer.idempotency_key!r} stands for another transfer.")


def grant(*, profile: Profile, amount_micro: int, idempotency_key: str) -> bool:
    """Give a profile new credits; return False when this key gave them already."""
    return post_transfer(
        debit=mint(),
        credit=wallet_of(profile),
        amount_micro=amount_micro,
        kind=LedgerEntry.Kind.GRANT,
        idempotency_key=idempotency_key,
    )


def give_starter_grant(*, profile: Profile) -> None:
    """Give a profile the credits that everyone starts with, once."""
    if amount := settings.STARTER_GRANT_MICRO:
        wallet, is_new = Account.objects.get_or_create(profile=profile, kind=Account.Kind.WALLET)
        if is_new or not wallet.entries.exists():
            grant(profile=profile, amount_micro=amount, idempotency_key=f"starter:{profile.pk}")


def reserve(*, profile: Profile, amount_micro: int, idempotency_key: str) -> bool:
    """Set an amount of a wallet aside for work to come. Raises `InsufficientFunds`: nothing is overspent."""
    return post_transfer(
        debit=wallet_of(profile),
        credit=hold_of(profile),
        amount_micro=amount_micro,
        kind=LedgerEntry.Kind.RESERVE,
        idempotency_key=f"{idempotency_key}:reserve",
    )


@transaction.atomic
def settle(*, profile: Profile, idempotency_key: str, cost_micro: int) -> bool:
    """Pay what the work cost out of what was reserved under this key, and give the rest back.

    Returns False when it was settled or released already. Raises `ValueError` for a cost above the reserve and
    `LedgerEntry.DoesNotExist` without one.
    """
    reserved = _reserved(profile, idempotency_key)
    if not 0 <= cost_micro <= reserved:
        raise ValueError(f"The cost is above the reserve of {reserved} micro-units.")
    if _is_closed(idempotency_key):
        return False
    moves = [
        (house(), cost_micro, LedgerEntry.Kind.SETTLE, "settle"),
        (wallet_of(profile), reserved - cost_micro, LedgerEntry.Kind.RELEASE, "release"),
    ]
    hold = hold_of(profile)
    post_transfers(
        Transfer(hold, to, amount, kind, f"{idempotency_key}:{name}") for to, amount, kind, name in moves if amount
    )
    return True


def release(*, profile: Profile, idempotency_key: str) -> bool:
    """Give back all that was reserved under this key; return False when it was settled or released already."""
    return settle(profile=profile, idempotency_key=idempotency_key, cost_micro=0)


def _reserved(profile: Profile, idempotency_key: str) -> int:
    # The hold's lock puts a settlement and a release of the same reserve in a row.
    hold = Account.objects.select_for_update(no_key=True).get(pk=hold_of(profile).pk)
    return LedgerEntry.objects.get(
        account=hold, amount_micro__gt=0, idempotency_key=f"{idempotency_key}:reserve"
    ).amount_micro


def _is_closed(idempotency_key: str) -> bool:
    keys = [f"{idempotency_key}:settle", f"{idempotency_key}:release"]
    return LedgerEntry.objects.filter(idempotency_key__in=keys).exists()
