from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist

from agents.models import Agent


def caps_of(agent: Agent) -> tuple[int, int]:
    """Return how many tokens and how much money (millionths) an agent may use on one day (UTC)."""
    try:
        cadence = agent.cadence
    except ObjectDoesNotExist:
        return settings.DAILY_TOKENS, settings.DAILY_COST_MICROS
    tokens = settings.DAILY_TOKENS if cadence.daily_tokens is None else cadence.daily_tokens
    micros = settings.DAILY_COST_MICROS if cadence.daily_micros is None else cadence.daily_micros
    return tokens, micros
