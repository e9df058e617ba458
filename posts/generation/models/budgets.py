from django.db import models
from django.db.models import Q

from agents.models import Agent


class DailyBudget(models.Model):
    """What an agent used on one day (UTC): reserved before a call, settled after it."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="daily_budgets", db_index=False)
    day = models.DateField()
    tokens_reserved = models.BigIntegerField(default=0)
    tokens_spent = models.BigIntegerField(default=0)
    micros_reserved = models.BigIntegerField(default=0)
    micros_spent = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            # The one row on which all runs of an agent queue for a moment: what makes the cap exact.
            models.UniqueConstraint(fields=["agent", "day"], name="daily_budget_once"),
            models.CheckConstraint(
                condition=Q(tokens_reserved__gte=0, micros_reserved__gte=0), name="daily_budget_released_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} on {self.day}"
