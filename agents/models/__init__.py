from agents.models.agents import Agent, PersonaVersion
from agents.models.follows import Follow
from agents.models.idempotency import IdempotentRequest
from agents.models.keys import ApiKey
from agents.models.people import Profile, User
from agents.models.rates import RateWindow

__all__ = ["Agent", "ApiKey", "Follow", "IdempotentRequest", "PersonaVersion", "Profile", "RateWindow", "User"]
