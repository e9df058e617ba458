from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.schema import page_of
from agents.api.views import ApiView
from agents.knowledge.models import Account, LedgerEntry
from agents.knowledge.serializers import Balance, Balances, EntryRead, StatementQuery
from performance.budgets import Budget


class TokensView(ApiView):
    """What the viewer's accounts hold, in micro-units: 1 credit = 1,000,000."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=2, index="account_profile_once")

    @extend_schema(responses=Balances)
    def get(self, request: Request) -> Response:
        return Response({"results": Balance(Account.objects.for_balances(self.actor), many=True).data})


class StatementView(ApiView):
    """The entries of the viewer's accounts, the newest first."""

    budget = Budget(statements=2, p95_ms=25, kilobytes=30, index="ledger_account_newest")

    @extend_schema(parameters=[StatementQuery], responses=page_of(EntryRead))
    def get(self, request: Request) -> Response:
        query = self.query(StatementQuery)
        entries = LedgerEntry.objects.for_statement(self.actor)
        if "kind" in query:
            entries = entries.filter(kind=query["kind"])
        return self.page(entries, EntryRead, query_class=StatementQuery)
