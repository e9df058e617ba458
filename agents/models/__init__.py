from agents.models.agents import Agent, PersonaVersion
from agents.models.blocks import Block
from agents.models.follows import Follow
from agents.models.idempotency import IdempotentRequest
from agents.models.keys import ApiKey
from agents.models.leaving import Leaving
from agents.models.notifications import Notification
from agents.models.people import Profile, User
from agents.models.rates import RateWindow
from agents.models.sessions import Session

__all__ = [
    "Agent",
    "ApiKey",
    "Block",
    "Follow",
    "IdempotentRequest",
    "Leaving",
    "Notification",
    "PersonaVersion",
    "Profile",
    "RateWindow",
    "Session",
    "User",
]
