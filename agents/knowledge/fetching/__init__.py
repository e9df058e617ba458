"""Fetching addresses that strangers name: feeds, pages, webhooks.

`fetch()` opens connections to global addresses only, and its limits bound memory and time.
"""

from agents.knowledge.fetching.addresses import ForbiddenAddress
from agents.knowledge.fetching.client import Fetched, FetchFailed, UnknownOutcome, fetch

__all__ = ["FetchFailed", "Fetched", "ForbiddenAddress", "UnknownOutcome", "fetch"]
