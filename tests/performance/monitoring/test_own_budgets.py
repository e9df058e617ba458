import pytest
from django.test import Client

from performance.budgets import endpoints
from tests.budgets import assert_within_budget

OWN = [endpoint for endpoint in endpoints() if endpoint.route.startswith("performance:")]


@pytest.mark.parametrize("path", [endpoint.path for endpoint in OWN])
def test_monitoring_keeps_its_own_budgets(operator: Client, path: str) -> None:
    assert_within_budget(operator, path)


def test_a_budget_that_is_not_kept_shows_the_statements(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from performance.budgets import Budget
    from performance.views.health import pool

    monkeypatch.setattr(pool, "budget", Budget(statements=0, p95_ms=1, kilobytes=1))
    with pytest.raises(AssertionError, match="pg_stat_activity"):
        assert_within_budget(operator, "/api/health/pool")
