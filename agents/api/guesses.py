"""Keys without the seal of this house: guesses, and keys from before its secret was changed."""

import time

from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from agents.api.callers import find_key
from agents.models import ApiKey
from agents.services.rates import spend_cheaply
from performance.caches.valkey import UNREACHABLE, ask, key

WINDOW_SECONDS = 60
GUESSES_PER_WINDOW = 10
KNOWN_SECONDS = 24 * 3600


def find_unsealed_key(request: Request, digest: bytes) -> ApiKey | None:
    """Look a key up, at most ten times a minute for one address.

    A key that was right before is looked up again however much is guessed from the same address. Raises
    `Throttled` beyond the limit.
    """
    known = key("known-key", digest.hex())
    if ask(lambda valkey: valkey.get(known)) in (None, UNREACHABLE):
        address = BaseThrottle().get_ident(request)
        if spend_cheaply(caller=f"guess:{address}", window_seconds=WINDOW_SECONDS) > GUESSES_PER_WINDOW:
            raise Throttled(wait=WINDOW_SECONDS - time.time() % WINDOW_SECONDS)
    found = find_key(digest)
    if found is not None:
        ask(lambda valkey: valkey.set(known, 1, ex=KNOWN_SECONDS))
    return found
