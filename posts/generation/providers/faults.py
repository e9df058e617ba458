"""What an exception of the SDK means: may it be repeated, may it have been paid, is the provider down."""

import datetime as dt
import email.utils
from dataclasses import dataclass

import httpx2
import openai

from posts.generation.providers.base import ProviderError
from posts.generation.providers.keys import REFUSED_SECONDS
from posts.generation.providers.transport import AnswerTooLarge

DEFAULT_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`is_outage` counts against the provider; `rest_key_seconds` against the key that was used."""

    error: ProviderError
    is_outage: bool = False
    rest_key_seconds: float = 0.0


def fault_of(error: Exception) -> Fault:
    """Classify what went wrong. The words of the server are not repeated: they may hold keys or anything else."""
    match error:
        case openai.APIStatusError():
            return _status(error)
        case openai.APIConnectionError():
            return _connection(error)
        case _:
            # An answer that came and cannot be read: cut off, not UTF-8, another format.
            unreadable = ProviderError("The answer cannot be read.", is_retryable=True, is_paid=True)
            return Fault(error=unreadable)


def _status(error: openai.APIStatusError) -> Fault:
    status = error.status_code
    pause = retry_after(error.response)
    match status:
        case 429:
            limited = ProviderError("The provider asks us to slow down.", is_retryable=True, retry_after=pause)
            return Fault(error=limited, rest_key_seconds=pause)
        case 401 | 403:
            return Fault(error=ProviderError("The API key is refused."), rest_key_seconds=REFUSED_SECONDS)
        case 503 | 529:
            busy = ProviderError("The provider is overloaded.", is_retryable=True, retry_after=pause)
            return Fault(error=busy, is_outage=True)
        case _ if status >= 500 or status == 408:
            broken = ProviderError(f"The provider answered {status}.", is_retryable=True, is_paid=True)
            return Fault(error=broken, is_outage=True)
        case _:
            return Fault(error=ProviderError(f"The provider refused the request ({status})."))


def _connection(error: openai.APIConnectionError) -> Fault:
    cause = error.__cause__
    if isinstance(cause, AnswerTooLarge):
        return Fault(error=ProviderError("The answer is too large.", is_retryable=True, is_paid=True))
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
        unreachable = ProviderError("The provider cannot be reached.", is_retryable=True)
        return Fault(error=unreachable, is_outage=True)
    # The request went out: whether it was served is unknown, so it counts as paid.
    unknown = ProviderError("The connection broke before the answer was here.", is_retryable=True, is_paid=True)
    return Fault(error=unknown, is_outage=True)


def retry_after(response: httpx2.Response) -> float:
    """Return the seconds that a `Retry-After` header asks for (RFC 9110, 10.2.3), bounded."""
    value = response.headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return DEFAULT_PAUSE_SECONDS
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        seconds = (moment - dt.datetime.now(dt.UTC)).total_seconds()
    return min(max(seconds, 0.1), LONGEST_PAUSE_SECONDS) if seconds == seconds else DEFAULT_PAUSE_SECONDS
