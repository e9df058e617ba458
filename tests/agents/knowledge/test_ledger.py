from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import ProtectedError, Sum
from django.test.utils import CaptureQueriesContext

from agents.knowledge.models import Account, LedgerEntry
from agents.knowledge.services import ledger
from agents.models import Profile
from tests.factories import make_person

Kind = LedgerEntry.Kind


@pytest.fixture
def rich(alice: Profile) -> Profile:
    ledger.grant(profile=alice, amount_micro=1000, idempotency_key="grant")
    return alice


def balance(account: Account) -> int:
    account.refresh_from_db()
    return account.balance_micro


def pay(debit: Account, credit: Account, amount: int, key: str) -> bool:
    return ledger.post_transfer(
        debit=debit, credit=credit, amount_micro=amount, kind=Kind.GENERATION, idempotency_key=key
    )


def in_threads(work: Callable[[int], Any], count: int) -> list[Any]:
    def one(number: int) -> Any:
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(one, range(count)))


def assert_books_are_right() -> None:
    for account in Account.objects.annotate(total=Sum("entries__amount_micro", default=0)):
        assert account.balance_micro == account.total, account
    assert LedgerEntry.objects.aggregate(total=Sum("amount_micro", default=0))["total"] == 0


def test_a_transfer_is_paid_once(rich: Profile) -> None:
    wallet, house = ledger.wallet_of(rich), ledger.house()
    assert [pay(wallet, house, 300, "run-1"), pay(wallet, house, 300, "run-1")] == [True, False]
    assert (balance(wallet), balance(house), balance(ledger.mint())) == (700, 300, -1000)
    assert_books_are_right()


def test_a_key_that_means_something_else_is_refused(rich: Profile) -> None:
    wallet, house = ledger.wallet_of(rich), ledger.house()
    pay(wallet, house, 300, "run-1")
    with pytest.raises(ledger.KeyReused):
        pay(wallet, house, 301, "run-1")
    with pytest.raises(ledger.KeyReused):
        pay(house, wallet, 300, "run-1")
    assert balance(wallet) == 700


def test_a_batch_is_one_statement_that_keeps_its_order(rich: Profile) -> None:
    wallet, house = ledger.wallet_of(rich), ledger.house()
    with CaptureQueriesContext(connection) as queries:
        ledger.post_transfers(ledger.Transfer(wallet, house, n, Kind.GENERATION, f"run-{n}") for n in range(1, 4))
    assert sum("INSERT" in query["sql"] for query in queries) == 1
    rows = LedgerEntry.objects.exclude(kind=Kind.GRANT).order_by("id").values_list("account", "amount_micro", "kind")
    sides = ((account, n * sign) for n in range(1, 4) for account, sign in ((wallet.pk, -1), (house.pk, 1)))
    assert list(rows) == [(account, amount, Kind.GENERATION) for account, amount in sides]
    assert_books_are_right()


def test_a_batch_is_written_whole_or_not_at_all(rich: Profile) -> None:
    wallet, house = ledger.wallet_of(rich), ledger.house()
    pay(wallet, house, 1, "run-2")
    for error, amount in ((IntegrityError, 1), (ledger.InsufficientFunds, 600)):
        with pytest.raises(error):
            ledger.post_transfers(
                ledger.Transfer(wallet, house, amount, Kind.GENERATION, f"run-{n}") for n in (1, 3 if amount > 1 else 2)
            )
    assert (balance(wallet), LedgerEntry.objects.count()) == (999, 4)


def test_no_transfers_are_no_statement(rich: Profile) -> None:
    with CaptureQueriesContext(connection) as queries:
        ledger.post_transfers([])
    assert not queries.captured_queries


@pytest.mark.parametrize("amount", [0, -1])
def test_only_a_positive_amount_moves(rich: Profile, amount: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        pay(ledger.wallet_of(rich), ledger.house(), amount, "x")


def test_nobody_spends_what_they_do_not_have(rich: Profile) -> None:
    with pytest.raises(ledger.InsufficientFunds):
        pay(ledger.wallet_of(rich), ledger.house(), 1001, "x")
    assert balance(ledger.wallet_of(rich)) == 1000


@pytest.mark.parametrize(
    "act",
    [
        lambda: LedgerEntry.objects.update(amount_micro=5),
        lambda: LedgerEntry.objects.all().delete(),
        lambda: LedgerEntry.objects.all()._raw_delete("default"),
        lambda: Account.objects.update(balance_micro=10**9),
        lambda: Account.objects.filter(kind="wallet").delete(),
        lambda: Account.objects.create(kind="wallet", profile=make_person(), balance_micro=5),
        lambda: LedgerEntry.objects.create(
            account=Account.objects.get(kind="wallet"), kind="grant", amount_micro=5, idempotency_key="one side"
        ),
    ],
    ids=["update", "delete", "raw delete", "balance", "account", "rich from birth", "one-sided"],
)
def test_history_and_balances_cannot_be_changed(rich: Profile, act: Callable[[], Any]) -> None:
    before = list(LedgerEntry.objects.values())
    with pytest.raises((DatabaseError, ProtectedError)), transaction.atomic():
        act()
    assert list(LedgerEntry.objects.values()) == before
    assert balance(ledger.wallet_of(rich)) == 1000


def test_who_leaves_leaves_the_account_behind(rich: Profile) -> None:
    rich.delete()
    assert Account.objects.get(kind="wallet").profile is None
    assert_books_are_right()


def test_a_reserve_is_settled_and_the_rest_comes_back(rich: Profile) -> None:
    assert ledger.reserve(profile=rich, amount_micro=800, idempotency_key="run")
    assert not ledger.reserve(profile=rich, amount_micro=800, idempotency_key="run")
    with pytest.raises(ledger.InsufficientFunds):
        ledger.reserve(profile=rich, amount_micro=300, idempotency_key="other")
    with pytest.raises(ValueError, match="above the reserve"):
        ledger.settle(profile=rich, idempotency_key="run", cost_micro=801)
    assert ledger.settle(profile=rich, idempotency_key="run", cost_micro=500)
    assert not ledger.settle(profile=rich, idempotency_key="run", cost_micro=500)
    assert not ledger.release(profile=rich, idempotency_key="run")
    assert balance(ledger.wallet_of(rich)) == 500
    assert (balance(ledger.hold_of(rich)), balance(ledger.house())) == (0, 500)
    assert_books_are_right()


def test_a_released_reserve_cannot_be_settled(rich: Profile) -> None:
    ledger.reserve(profile=rich, amount_micro=800, idempotency_key="run")
    assert ledger.release(profile=rich, idempotency_key="run")
    assert not ledger.settle(profile=rich, idempotency_key="run", cost_micro=100)
    assert balance(ledger.wallet_of(rich)) == 1000


@pytest.mark.django_db(transaction=True)
def test_fifty_writers_at_once_keep_every_balance_right() -> None:
    people = [make_person() for _ in range(5)]
    for person in people:
        ledger.grant(profile=person, amount_micro=1000, idempotency_key=f"grant {person.pk}")
    wallets = [ledger.wallet_of(person) for person in people]

    def work(number: int) -> str:
        debit, credit = wallets[number % 5], wallets[(number * 3 + 1) % 5]
        if debit == credit:
            return "none"
        try:
            # Every key twice, in both directions: half of them are repeated.
            return str(pay(debit, credit, 1 + number % 50, f"key {number // 10}.{number % 5}"))
        except (ledger.InsufficientFunds, ledger.KeyReused) as refusal:
            return type(refusal).__name__

    results = in_threads(work, 500)
    assert results.count("True") == LedgerEntry.objects.filter(kind=Kind.GENERATION).count() / 2
    assert_books_are_right()
    assert Account.objects.filter(profile__isnull=False).aggregate(t=Sum("balance_micro"))["t"] == 5000


@pytest.mark.django_db(transaction=True)
def test_thirty_calls_under_a_cap_of_ten_never_overspend() -> None:
    person = make_person()
    ledger.grant(profile=person, amount_micro=10, idempotency_key="grant")

    def work(number: int) -> bool:
        try:
            return ledger.reserve(profile=person, amount_micro=1, idempotency_key=f"call {number}")
        except ledger.InsufficientFunds:
            return False

    assert sum(in_threads(work, 30)) == 10
    assert balance(ledger.wallet_of(person)) == 0
    assert_books_are_right()
