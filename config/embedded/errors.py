"""The one error that the embedded services raise."""

OWN_SERVICES = "set DATABASE_URL, CACHE_URL and BROKER_URL to use services of your own"


class EmbeddedError(Exception):
    """Says in one sentence, meant for the person at the terminal, why a service is not running."""
