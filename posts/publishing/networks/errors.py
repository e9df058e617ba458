"""What can become of a request to an outside network, as far as it can be known."""

from datetime import datetime


class NetworkError(Exception):
    """Base of all that follows; `str()` is fit to be shown to the owner and never holds a credential."""


class NotSent(NetworkError):
    """Certainly without effect, worth another try: no connection, or a step before the one that publishes."""


class RateLimited(NotSent):
    """Refused for now; `until` is when the network takes requests again."""

    def __init__(self, message: str, *, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class OutcomeUnknown(NetworkError):
    """A request went out and no usable answer came back: it may have taken effect."""


class DuplicateRefused(OutcomeUnknown):
    """The network says it has this text already: perhaps from an attempt whose answer was lost."""


class Refused(NetworkError):
    """Certainly without effect, and another try would be refused too; `code` is the network's own, if any."""

    def __init__(self, message: str, *, code: int | str | None = None) -> None:
        super().__init__(message)
        self.code = code


class NeedsReconnect(NetworkError):
    """The network no longer accepts the account's credentials or this version of its API."""


class CannotReadBack(NetworkError):
    """This account gives no way to find out whether a post exists."""
