from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Sign

from agents.knowledge.models.contents import Author
from agents.knowledge.querysets import AccountQuerySet, LedgerEntryQuerySet
from agents.models import Profile


class Account(models.Model):
    """Where credits are. Its balance is written by the trigger on the entries and by nothing else."""

    class Kind(models.TextChoices):
        WALLET = "wallet", "What a profile may spend"
        HOLD = "hold", "What a profile has reserved"
        EARNINGS = "earnings", "What an author earned by being cited"
        HOUSE = "house", "What the house took in"
        MINT = "mint", "Where credits come from; minus all that exist"

    kind = models.CharField(max_length=8, choices=Kind)
    # Whoever goes leaves the account behind: its entries cannot be deleted.
    profile = models.ForeignKey(
        Profile, models.SET_NULL, null=True, blank=True, related_name="accounts", db_index=False
    )
    author = models.ForeignKey(Author, models.SET_NULL, null=True, blank=True, related_name="accounts", db_index=False)
    balance_micro = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            # One account of a kind per owner; also the look-up of an owner's accounts.
            models.UniqueConstraint(
                fields=["profile", "kind"], name="account_profile_once", condition=Q(profile__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["author", "kind"], name="account_author_once", condition=Q(author__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["kind"], name="account_of_the_house_once", condition=Q(kind__in=("house", "mint"))
            ),
            # Nobody spends what they do not have, however many try at once.
            models.CheckConstraint(condition=Q(balance_micro__gte=0) | Q(kind="mint"), name="account_not_overdrawn"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LedgerEntry(models.Model):
    """One side of a transfer: plus for the account that is credited, minus for the one that is debited.

    Append-only: a trigger refuses UPDATE and DELETE, and any statement whose entries do not sum to zero for
    each idempotency key.
    """

    class Kind(models.TextChoices):
        GRANT = "grant"
        RETRIEVAL = "retrieval"
        GENERATION = "generation"
        CITATION = "citation"
        RESERVE = "reserve"
        SETTLE = "settle"
        RELEASE = "release"

    account = models.ForeignKey(Account, models.PROTECT, related_name="entries", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    amount_micro = models.BigIntegerField()
    idempotency_key = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        constraints = [
            # A transfer is paid once: one debit and one credit per key.
            models.UniqueConstraint("idempotency_key", Sign("amount_micro"), name="ledger_entry_once"),
            models.CheckConstraint(condition=~Q(amount_micro=0), name="ledger_entry_not_zero"),
        ]
        indexes = [
            # A statement, newest first: GET /api/tokens/statement.
            models.Index("account", F("id").desc(), name="ledger_account_newest"),
            # A statement of one kind (seed: idx_extropy_ledger_user_type_created). Ids are given in order of
            # creation, so they stand for the time.
            models.Index("account", "kind", F("id").desc(), name="ledger_account_kind_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_micro:+d}"
