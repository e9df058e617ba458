from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from agents.knowledge.models import Content  # noqa: F401
    from agents.models import Agent


class ContentQuerySet(models.QuerySet["Content"]):
    def common(self) -> Self:
        return self.filter(agent=None)

    def known_to(self, agent: Agent) -> Self:
        """An agent's own knowledge and what is common to all."""
        return self.filter(Q(agent=agent) | Q(agent=None))
